//go:build parity

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/registrytest"
)

// TestRealInterface opens every page of MLflow's own web interface, unmodified,
// on a home with a training in it and with all that MLflow's client can log. An
// answer that is neither good nor expected fails, and so does a page that shows
// an error.
func TestRealInterface(t *testing.T) {
	home := t.TempDir()
	r := parseReport(t, taximeter(t, home, "train", "--date", "2021-03-05", "--data", realMonths(t), "--trials", "2", "--json"))
	s := startServer(t, home, "--mlflow-ui", interfaceFiles(t), "--addr", "0.0.0.0:0", "--insecure", "--allowed-hosts", "taxi.example")
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	ids := interfaceContent(t, "http://127.0.0.1:"+port)
	ids["OURRUN"] = r.Chosen.RunID
	ids["OURS"] = experimentID(t, home, r.Experiment)
	fill := fillIn(ids)

	b := openBrowser(t)
	for _, p := range interfacePages {
		t.Run(p.name, func(t *testing.T) { b.visit(t, "http://127.0.0.1:"+port+"/mlflow", p, fill) })
	}
	// By whatever address: the real server locks its own interface out.
	for _, host := range []string{"localhost", "taxi.example", hostIP(t)} {
		for _, p := range interfacePages {
			if p.name == "experiment default" || p.name == "run overview" || p.name == "our training" {
				p.name += " at " + host
				t.Run(p.name, func(t *testing.T) { b.visit(t, "http://"+net.JoinHostPort(host, port)+"/mlflow", p, fill) })
			}
		}
	}
	t.Run("a printed link", func(t *testing.T) {
		b.follow(t, "http://127.0.0.1:"+port+fill("/#/experiments/OURS/runs/OURRUN"), "rmse_valid")
	})
	s.stop(t)

	alone := startMLflowServer(t, t.TempDir(), nil, "--mlflow-ui", interfaceFiles(t))
	prefixed := startMLflowServer(t, t.TempDir(), nil, "--mlflow-ui", interfaceFiles(t), "--static-prefix", "/ml")
	for _, p := range []interfacePage{
		{name: "mlflow-server home", mode: "ml", address: "/", shows: "Default"},
		{name: "mlflow-server experiment", mode: "ml", address: "/#/experiments/0"},
		{name: "mlflow-server models", mode: "ml", address: "/#/models"},
	} {
		t.Run(p.name, func(t *testing.T) { b.visit(t, alone.url, p, fill) })
		t.Run(p.name+" with a prefix", func(t *testing.T) { b.visit(t, prefixed.url, p, fill) })
	}
}

// interfaceFiles is the folder with the files of MLflow's web interface.
func interfaceFiles(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), registrytest.Python(t), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "mlflow/server/js/build")
}

func interfaceContent(t *testing.T, server string) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), registrytest.Python(t), "testdata/ui_content.py", server)
	cmd.Env = registrytest.Quiet()
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, problems.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	ids := map[string]string{}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &ids); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return ids
}

func experimentID(t *testing.T, home, name string) string {
	t.Helper()
	var shown struct{ Experiment registry.Experiment }
	out := taximeter(t, home, "experiments", "show", name, "--json")
	if err := json.Unmarshal(out, &shown); err != nil || shown.Experiment.ID == "" {
		t.Fatalf("%v in %.300s", err, out)
	}
	return shown.Experiment.ID
}

// fillIn puts ids into the places of an address that stand for them.
func fillIn(ids map[string]string) func(string) string {
	word := regexp.MustCompile(`\b[A-Z][A-Z0-9]*\b`)
	return func(address string) string {
		return word.ReplaceAllStringFunc(address, func(w string) string {
			if id, ok := ids[w]; ok {
				return id
			}
			return w
		})
	}
}

// hostIP is an address of this machine that is not loopback.
func hostIP(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP.String()
		}
	}
	return "127.0.0.2" // a machine without a network
}

type browser struct {
	ctx         context.Context // of the browser; tabs are made from it
	screenshots string          // folder; empty: none are taken
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("window-size", "1500,1000"), chromedp.Flag("host-resolver-rules", "MAP taxi.example 127.0.0.1"))
	if name := os.Getenv("CHROMIUM"); name != "" {
		options = append(options, chromedp.ExecPath(name))
	}
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return &browser{ctx, os.Getenv("TAXIMETER_SCREENSHOTS")}
}

// patience is how long a browser may take, far longer than it should.
const patience = 2 * time.Minute

// answers are what a page's requests got.
type answers struct {
	mu      sync.Mutex
	pending map[network.RequestID]string
	changed time.Time
	bad     []string
}

func (a *answers) see(event any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		// The end of a worker's script is told to the worker; pictures of MLflow's
		// own site are not ours to serve.
		url := e.Request.URL
		if strings.HasPrefix(url, "http://") && !strings.HasSuffix(url, ".worker.js") {
			a.pending[e.RequestID] = e.Request.Method + " " + e.Request.URL
		}
	case *network.EventResponseReceived:
		if status := e.Response.Status; status >= 400 && !expected(status, e.Response.URL) {
			a.bad = append(a.bad, fmt.Sprintf("%d: %s", status, a.pending[e.RequestID]))
		}
	case *network.EventLoadingFinished:
		delete(a.pending, e.RequestID)
	case *network.EventLoadingFailed:
		if request := a.pending[e.RequestID]; request != "" && !e.Canceled {
			a.bad = append(a.bad, e.ErrorText+": "+request)
		}
		delete(a.pending, e.RequestID)
	case *runtime.EventExceptionThrown:
		a.bad = append(a.bad, "exception: "+exception(e.ExceptionDetails))
	default:
		return
	}
	a.changed = time.Now()
}

// expected tells the answers that the real server gives as well.
func expected(status int64, url string) bool {
	return status == 404 && (strings.HasSuffix(url, "/users/current") || strings.Contains(url, "registered-models/get?name=no-such-model"))
}

// quiet tells whether something has happened, and nothing for a while.
func (a *answers) quiet() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.pending) == 0 && !a.changed.IsZero() && time.Since(a.changed) > 800*time.Millisecond
}

// trouble is what pages of the interface say when something has gone wrong.
var trouble = regexp.MustCompile(`(?i)something went wrong|failed to|couldn't load|could not|unable to|error:|request error|_error|page not found|cannot query|does not exist`)

func exception(e *runtime.ExceptionDetails) string {
	if e.Exception != nil {
		return e.Text + " " + e.Exception.Description
	}
	return e.Text
}
