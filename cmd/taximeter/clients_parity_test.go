//go:build parity

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/taximeter/taximeter/registry/registrytest"
)

// pythons are the interpreters with MLflow's last two majors.
func pythons(t *testing.T) map[string]string {
	t.Helper()
	two := os.Getenv("TAXIMETER_PYTHON_MLFLOW2")
	if two == "" {
		t.Fatal("TAXIMETER_PYTHON_MLFLOW2 is not set: it names a Python with mlflow 2.22.4; run make parity")
	}
	return map[string]string{"3.17.2": registrytest.Python(t), "2.22.4": two}
}

// runClient runs a program that ends with status 0 if all is as it should be.
func runClient(t *testing.T, program string, arguments ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, arguments...)
	cmd.Env = append(registrytest.Quiet(), "MLFLOW_HTTP_REQUEST_MAX_RETRIES=1", "OMP_NUM_THREADS=1", // a 5xx shall not hide as a wait
		"PYTHONWARNINGS=ignore", "MLFLOW_LOGGING_LEVEL=ERROR", asMain+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	t.Logf("%s", lines[len(lines)-1])
}

// TestPyfuncParity has both MLflows load the staged model as one of rides, and
// compares it with /predict.
func TestPyfuncParity(t *testing.T) {
	home := t.TempDir()
	taximeter(t, home, "train", "--date", "2021-03-05", "--data", realMonths(t), "--params", "best", "--json")
	s := startServer(t, home)
	defer s.stop(t)
	for version, python := range pythons(t) {
		t.Run(version, func(t *testing.T) {
			runClient(t, python, "testdata/pyfunc_client.py", s.url, filepath.Join(realMonths(t), "green_tripdata_2021-02.parquet"))
		})
	}
}

// TestTrainersParity has both MLflow clients do what trainers do, against the
// server; and "taximeter runs gc" collects what they delete.
func TestTrainersParity(t *testing.T) {
	for version, python := range pythons(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			s := startServer(t, home)
			defer s.stop(t)
			runClient(t, python, "testdata/trainer_client.py", s.url, os.Args[0], "runs", "gc", "--home", home)
		})
	}
}

// TestJavaParity has MLflow's Java client do what trainers do. Artifacts it leaves to
// Python's.
func TestJavaParity(t *testing.T) {
	classpath, err := os.ReadFile(os.Getenv("TAXIMETER_JAVA_CLASSPATH"))
	if err != nil {
		t.Fatalf("TAXIMETER_JAVA_CLASSPATH names a file that says where MLflow's Java client is; run make parity: %v", err)
	}
	s := startServer(t, t.TempDir())
	defer s.stop(t)
	t.Setenv("MLFLOW_PYTHON_EXECUTABLE", registrytest.Python(t))
	runClient(t, "java", "-cp", string(bytes.TrimSpace(classpath)), "testdata/java/TrainerClient.java", s.url)
}
