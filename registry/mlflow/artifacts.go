package mlflow

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/taximeter/taximeter/registry"
)

// fileJSON is an artifact on the wire: the size of a file is there when it is 0.
type fileJSON struct {
	Path  string `json:"path"`
	IsDir bool   `json:"is_dir"`
	Size  *int64 `json:"file_size,omitempty"`
}

type listAnswer struct {
	RootURI string     `json:"root_uri,omitempty"`
	Files   []fileJSON `json:"files"`
}

// listing is the answer with files found in a folder below a root. The list is
// there when it is empty: MLflow's user interface stumbles when it is not.
func listing(root, folder string, found []registry.FileInfo) listAnswer {
	files := make([]fileJSON, len(found))
	for i, f := range found {
		files[i] = fileJSON{Path: path.Join(folder, f.Path), IsDir: f.IsDir}
		if !f.IsDir {
			files[i].Size = &f.Size
		}
	}
	return listAnswer{root, files}
}

func listArtifacts(s registry.Service, r *request) (any, error) {
	id, folder := r.runID(), r.text("path")
	if r.err != nil {
		return nil, r.err
	}
	run, err := s.GetRun(r.ctx, id)
	if err != nil {
		return nil, err
	}
	found, err := s.ListArtifacts(r.ctx, id, strings.TrimSuffix(folder, "/"))
	return listing(run.Info.ArtifactURI, "", found), err
}

// serveFiles serves the artifact proxy.
func (h *Handler) serveFiles(g *echo.Group) {
	name := func(c echo.Context) string { // decoded once, as the router leaves it
		_, name, _ := strings.Cut(c.Request().URL.Path, "/mlflow-artifacts/artifacts/")
		return name
	}
	g.Match(reading, "/artifacts/*", func(c echo.Context) error {
		f, err := h.service.OpenFile(c.Request().Context(), name(c))
		return detailed(send(c, name(c), f, err))
	})
	g.PUT("/artifacts/*", func(c echo.Context) error {
		if err := h.service.PutFile(c.Request().Context(), name(c), c.Request().Body); err != nil {
			return detailed(err)
		}
		return c.NoContent(http.StatusOK)
	})
	g.DELETE("/artifacts/*", func(c echo.Context) error {
		if err := h.service.DeleteFiles(c.Request().Context(), name(c)); err != nil {
			return err
		}
		return c.JSON(http.StatusOK, struct{}{})
	})
	g.Match(reading, "/artifacts", func(c echo.Context) error {
		folder := strings.TrimSuffix(c.QueryParam("path"), "/")
		if folder != "" {
			if err := registry.CheckArtifactPath(folder); err != nil {
				return err
			}
		}
		found, err := h.service.ListFiles(c.Request().Context(), folder)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return c.JSON(http.StatusOK, struct{}{})
		}
		return c.JSON(http.StatusOK, listing("", "", found))
	})
	notSupported := func(what string) echo.HandlerFunc {
		return func(echo.Context) error {
			return registry.Errorf(registry.NotImplemented, "Multipart %s is not supported for the current artifact repository", what)
		}
	}
	g.POST("/mpu/*", notSupported("upload"))
	g.Match(reading, "/presigned/*", notSupported("download"))
}

// detailed tells what is wrong with a path as MLflow's proxy does: without a
// code where the path is that of a folder.
func detailed(err error) error {
	if e, ok := errors.AsType[*registry.Error](err); ok && strings.HasPrefix(e.Message, "Artifact path ") {
		return &detailError{e.Code.Status(), e.Message}
	}
	return err
}

// serveLoggedModelFiles serves the files of logged models to the user interface.
func (h *Handler) serveLoggedModelFiles(g *echo.Group) {
	g.Match(reading, "/logged-models/:model_id/artifacts/files", func(c echo.Context) error {
		m, err := h.service.GetLoggedModel(c.Request().Context(), c.Param("model_id"))
		if err != nil {
			return err
		}
		name := c.QueryParam("artifact_file_path")
		if name == "" {
			return registry.Errorf(registry.BadRequest, `Request must include the "artifact_file_path" query parameter.`)
		}
		return h.sendBelow(c, m.Info.ArtifactURI, name)
	})
}

// sendBelow sends the file at a path below an artifact URI.
func (h *Handler) sendBelow(c echo.Context, uri, name string) error {
	if name == "" {
		return registry.Errorf(registry.InvalidParameterValue, "Missing value for required parameter 'path'. %s", seeDocs)
	}
	f, err := h.service.OpenAt(c.Request().Context(), uri, name)
	return send(c, name, f, err)
}

func (h *Handler) getArtifact(c echo.Context) error {
	id := c.QueryParam("run_id")
	if id == "" {
		id = c.QueryParam("run_uuid")
	}
	run, err := h.service.GetRun(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return h.sendBelow(c, run.Info.ArtifactURI, c.QueryParam("path"))
}

func (h *Handler) getVersionArtifact(c echo.Context) error {
	uri, err := h.service.ModelVersionURI(c.Request().Context(), c.QueryParam("name"), c.QueryParam("version"))
	if err != nil {
		return err
	}
	return h.sendBelow(c, uri, c.QueryParam("path"))
}

// maxUpload is the largest artifact that MLflow's user interface may send, in bytes.
const maxUpload = 10 << 20

func (h *Handler) uploadArtifact(c echo.Context) error {
	id, name := c.QueryParam("run_uuid"), c.QueryParam("path")
	if id == "" {
		return registry.Errorf(registry.InvalidParameterValue, "Request must specify run_uuid.")
	}
	if name == "" {
		return registry.Errorf(registry.InvalidParameterValue, "Request must specify path.")
	}
	body := http.MaxBytesReader(c.Response(), c.Request().Body, maxUpload)
	if err := h.service.PutArtifact(c.Request().Context(), id, name, body); err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	return c.NoContent(http.StatusOK)
}

// send answers with a file. Whatever it is, a browser shall save it or show it
// as text: artifacts come from strangers.
func send(c echo.Context, name string, f io.ReadCloser, err error) error {
	if err != nil {
		return err
	}
	defer f.Close()
	header := c.Response().Header()
	header.Set("Content-Type", contentType(name))
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(name)}))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "sandbox")
	seeker, ok := f.(io.ReadSeeker)
	if !ok {
		_, err := io.Copy(c.Response(), f)
		return err
	}
	var changed time.Time
	if st, ok := f.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := st.Stat(); err == nil {
			changed = info.ModTime()
			header.Set("ETag", fmt.Sprintf(`"%x-%x"`, changed.UnixNano(), info.Size()))
		}
	}
	http.ServeContent(c.Response(), c.Request(), "", changed, seeker)
	return nil
}

// contentType returns the media type that a file is sent as.
func contentType(name string) string {
	extension := strings.ToLower(path.Ext(name))
	switch extension {
	case ".txt", ".log", ".json", ".jsonl", ".yaml", ".yml", ".csv", ".tsv", ".md", ".rst", ".xml", ".html", ".htm", ".svg", ".js", ".py",
		".r", ".sh", ".sql", ".ini", ".cfg", ".toml", ".geojson", "":
		if extension == "" && path.Base(name) != "MLmodel" && path.Base(name) != "MLproject" {
			break
		}
		return "text/plain; charset=utf-8"
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".pdf", ".mp4", ".wav", ".mp3":
		if t := mime.TypeByExtension(extension); t != "" {
			return t
		}
	}
	return "application/octet-stream"
}
