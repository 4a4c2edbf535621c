package main

import (
	"io/fs"
	"os"

	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/registry/mlflow"
)

const mlflowUIUsage = "folder with MLflow's own web interface, as an installed mlflow has it in mlflow/server/js/build"

// openMLflowUI opens the folder with MLflow's web interface; nil if dir is
// empty.
func openMLflowUI(dir string) (fs.FS, error) {
	if dir == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(dir) // open until the process ends
	if err != nil {
		return nil, enginecmd.Usage("--mlflow-ui: %v", err).Hint("%s", whereUI)
	}
	if err := mlflow.CheckUI(root.FS()); err != nil {
		return nil, enginecmd.Usage("--mlflow-ui %s: %v", dir, err).Hint("%s", whereUI)
	}
	return root.FS(), nil
}

const whereUI = `python -c 'import mlflow.server, os; print(os.path.dirname(mlflow.server.__file__) + "/js/build")' prints it`
