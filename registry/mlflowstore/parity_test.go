//go:build parity

package mlflowstore_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/taximeter/taximeter/registry/registrytest"
)

// TestRealStores imports stores that MLflow 3.17 and 2.22 make now.
func TestRealStores(t *testing.T) {
	old := os.Getenv("TAXIMETER_PYTHON_MLFLOW2")
	if old == "" {
		t.Fatal("TAXIMETER_PYTHON_MLFLOW2 is not set: it names a Python with mlflow 2.22.4; run make parity")
	}
	for version, python := range map[string]string{"3.17": registrytest.Python(t), "2.22": old} {
		dir := filepath.Join(t.TempDir(), "made")
		cmd := exec.CommandContext(t.Context(), python, "testdata/make_store.py", dir)
		cmd.Env = registrytest.Quiet()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd, err, out)
		}
		for _, name := range []string{"mlflow.db", "mlruns"} {
			t.Run(version+"/"+name, func(t *testing.T) { checkImport(t, filepath.Join(dir, name)) })
		}
	}
}
