package mlflow

import (
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/taximeter/taximeter/registry"
)

// CheckUI returns an error unless files are those of MLflow's web interface.
func CheckUI(files fs.FS) error {
	for _, name := range []string{"index.html", "static/js"} {
		if _, err := fs.Stat(files, name); err != nil {
			return errors.New("it has no " + name + ": the folder mlflow/server/js/build of an installed mlflow is wanted")
		}
	}
	return nil
}

// serveUI serves the files of MLflow's web interface: the page at /, the rest
// below /static-files. All its addresses are relative, so a prefix does no harm.
func (h *Handler) serveUI() {
	h.router.Match(reading, "/", func(c echo.Context) error { return h.sendUI(c, "index.html", "no-cache") })
	h.router.Match(reading, "/static-files/*", func(c echo.Context) error {
		// The names have digests of the contents in them.
		return h.sendUI(c, c.Param("*"), "public, max-age=2419200")
	})
}

func (h *Handler) sendUI(c echo.Context, name, caching string) error {
	if h.UI == nil {
		return registry.Errorf(registry.EndpointNotFound, "this server was started without the files of MLflow's web interface")
	}
	f, err := h.UI.Open(name)
	if err != nil {
		return echo.ErrNotFound
	}
	defer f.Close()
	st, err := f.Stat()
	content, seeks := f.(io.ReadSeeker)
	if err != nil || st.IsDir() || !seeks {
		return echo.ErrNotFound
	}
	header := c.Response().Header()
	header.Set("Cache-Control", caching)
	header.Set("X-Content-Type-Options", "nosniff")
	kind := uiType(name)
	if kind == "" {
		http.ServeContent(c.Response(), c.Request(), name, st.ModTime(), content)
		return nil
	}
	header.Set("Content-Type", kind)
	header.Set("Vary", "Accept-Encoding")
	if r := c.Request(); st.Size() < worthPacking || r.Method == http.MethodHead || r.Header.Get("Range") != "" || !takesGzip(r) {
		http.ServeContent(c.Response(), r, name, st.ModTime(), content)
		return nil
	}
	header.Set("Content-Encoding", "gzip")
	packed, err := gzip.NewWriterLevel(c.Response(), gzip.BestSpeed)
	if err != nil {
		return err
	}
	_, err = io.Copy(packed, content)
	return errors.Join(err, packed.Close())
}

// worthPacking is the size, in bytes, from which on a text is sent packed. The
// whole interface is 27 MB, packed a third; a browser asks once a month.
const worthPacking = 16 << 10

func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		if name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";"); name == "gzip" && strings.TrimSpace(weight) != "q=0" {
			return true
		}
	}
	return false
}

// uiType returns the media type of a text that a browser refuses under another,
// whatever the machine's own table says.
func uiType(name string) string {
	return map[string]string{
		".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
		".cjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
		".svg": "image/svg+xml",
	}[strings.ToLower(path.Ext(name))]
}
