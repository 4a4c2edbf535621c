//go:build parity

package registrytest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Python returns the interpreter that make parity has installed MLflow and
// XGBoost for.
func Python(t *testing.T) string {
	t.Helper()
	python := os.Getenv("TAXIMETER_PYTHON")
	if python == "" {
		t.Fatal("TAXIMETER_PYTHON is not set: it names a Python with mlflow 3.17.2; run make parity")
	}
	return python
}

// Quiet is an environment in which MLflow's client reports to nobody.
func Quiet() []string {
	return append(os.Environ(), "MLFLOW_DISABLE_TELEMETRY=true", "DO_NOT_TRACK=1", "GIT_PYTHON_REFRESH=quiet", "MLFLOW_TRACKING_URI=")
}

// StartMLflow starts MLflow's own server on fresh files, until the test ends,
// and returns its address.
func StartMLflow(t *testing.T) (url string) {
	t.Helper()
	port, dir := freePort(t), t.TempDir()
	cmd := exec.CommandContext(t.Context(), Python(t), "-m", "mlflow", "server",
		"--backend-store-uri", "sqlite:///"+filepath.Join(dir, "mlflow.db"), "--artifacts-destination", filepath.Join(dir, "artifacts"),
		"--host", "127.0.0.1", "--port", strconv.Itoa(port), "--workers", "1")
	cmd.Env = append(Quiet(), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false") // or it starts eight more processes
	// A group of its own, so that the processes it leaves can be ended with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = cmd.Wait()
	})
	t.Cleanup(end)
	url = fmt.Sprintf("http://127.0.0.1:%d", port)
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		res, err := http.Get(url + "/health")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return url
			}
		}
		if time.Since(begun) > 5*time.Minute {
			end()
			t.Fatalf("mlflow server does not answer\n%s", log.String())
		}
	}
}

// freePort is a port for a server that cannot be asked which one it took. It is one
// that the system gives to nobody by itself, so that it stays free until then.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
