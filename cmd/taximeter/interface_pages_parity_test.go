//go:build parity

package main

// interfacePage is a page of MLflow's web interface. E, R0 and so on in its
// address stand for ids that testdata/ui_content.py prints.
type interfacePage struct {
	name    string
	mode    string // what the switch at the top left says: ml, genai, or first: a first visit
	address string
	shows   string // a text that must be on the page
	finds   string // a text that is typed into the page's search box
	missing bool   // the page is to say that there is no such thing
}

// The pages are those of reference/mlflow-wire/ui-3.17-calls.md.
var interfacePages = []interfacePage{
	{name: "first visit home", mode: "first", address: "/"},
	{name: "first visit experiments", mode: "first", address: "/#/experiments", shows: "pages"},
	{name: "first visit experiment", mode: "first", address: "/#/experiments/E"},
	{name: "first visit experiment by link", mode: "first", address: "/#/experiments/E?workflowType=machine_learning", shows: "run 0"},
	{name: "first visit run", mode: "first", address: "/#/experiments/E/runs/R0", shows: "max_depth"},
	{name: "home", mode: "ml", address: "/", shows: "pages"},
	{name: "experiments list", mode: "ml", address: "/#/experiments", shows: "nyc-taxi-experiment"},
	{name: "experiments list search", mode: "ml", address: "/#/experiments", finds: "other", shows: "other pages"},
	{name: "experiment default", mode: "ml", address: "/#/experiments/E", shows: "run 0"},
	{name: "experiment runs table", mode: "ml", address: "/#/experiments/E/runs?compareRunsMode=TABLE", shows: "run 1"},
	{name: "experiment runs filtered", mode: "ml", shows: "run 0",
		address: "/#/experiments/E/runs?searchFilter=metrics.rmse < 1 and params.max_depth = \"3\"&orderByKey=metrics.`rmse`&orderByAsc=true"},
	{name: "experiment runs deleted", mode: "ml", address: "/#/experiments/E/runs?lifecycleFilter=Deleted", shows: "deleted"},
	{name: "experiment runs chart", mode: "ml", address: "/#/experiments/E/runs?compareRunsMode=CHART", shows: "val/mae"},
	{name: "experiment runs artifact view", mode: "ml", address: "/#/experiments/E/runs?compareRunsMode=ARTIFACT", shows: "tbl.json"},
	{name: "experiment models", mode: "ml", address: "/#/experiments/E/models", shows: "model"},
	{name: "experiment models chart", mode: "ml", address: "/#/experiments/E/models?viewMode=CHART"},
	{name: "experiment ml traces", mode: "ml", address: "/#/experiments/E/traces"},
	{name: "experiment without kind", mode: "ml", address: "/#/experiments/E2"},
	{name: "experiment empty", mode: "ml", address: "/#/experiments/E3"},
	{name: "run overview", mode: "ml", address: "/#/experiments/E/runs/R0", shows: "learning_rate"},
	{name: "run model-metrics", mode: "ml", address: "/#/experiments/E/runs/R0/model-metrics", shows: "val/mae"},
	{name: "run system-metrics", mode: "ml", address: "/#/experiments/E/runs/R0/system-metrics", shows: "cpu_utilization_percentage"},
	{name: "run traces", mode: "ml", address: "/#/experiments/E/runs/R0/traces"},
	{name: "run artifacts", mode: "ml", address: "/#/experiments/E/runs/R0/artifacts", shows: "notes.txt"},
	{name: "run artifact text", mode: "ml", address: "/#/experiments/E/runs/R0/artifacts/notes.txt", shows: "some notes"},
	{name: "run artifact json", mode: "ml", address: "/#/experiments/E/runs/R0/artifacts/conf/conf.json", shows: `"a"`},
	{name: "run artifact csv", mode: "ml", address: "/#/experiments/E/runs/R0/artifacts/table.csv", shows: "distance"},
	{name: "run artifact image", mode: "ml", address: "/#/experiments/E/runs/R0/artifacts/plots/fig.png", shows: "Path: mlflow-artifacts"},
	{name: "run artifact html", mode: "ml", address: "/#/experiments/E/runs/R0/artifacts/page.html", shows: "Path: mlflow-artifacts"},
	{name: "run artifact table", mode: "ml", address: "/#/experiments/E/runs/R0/artifacts/tbl.json", shows: "8.25"},
	{name: "run child", mode: "ml", address: "/#/experiments/E/runs/R0CHILD", shows: "child"},
	{name: "metric page", mode: "ml", address: `/#/metric/?runs=["R0"]&metric="rmse"&experiments=["E"]&plot_metric_keys=["rmse"]`, shows: "rmse"},
	{name: "compare runs", mode: "ml", address: `/#/compare-runs?runs=["R0","R1"]&experiments=["E"]`, shows: "run 1"},
	{name: "compare runs without artifacts", mode: "ml", address: `/#/compare-runs?runs=["R0","R2"]&experiments=["E"]`, shows: "without artifacts"},
	{name: "compare experiments", mode: "ml", address: `/#/compare-experiments/s?experiments=["E","E2"]`, shows: "run 0"},
	{name: "logged model", mode: "ml", address: "/#/experiments/E/models/M0", shows: "val/mae"},
	{name: "logged model artifacts", mode: "ml", address: "/#/experiments/E/models/M0/artifacts", shows: "MLmodel"},
	{name: "logged model traces", mode: "ml", address: "/#/experiments/E/models/M0/traces"},
	{name: "models", mode: "ml", address: "/#/models", shows: "pages-model"},
	{name: "models search", mode: "ml", address: "/#/models", finds: "ride", shows: "NYCRideDurationModel"},
	{name: "model", mode: "ml", address: "/#/models/MODEL", shows: "Version 2"},
	{name: "model version", mode: "ml", address: "/#/models/MODEL/versions/1", shows: "Inputs (1)"},
	{name: "our logged models", mode: "ml", address: "/#/experiments/OURS/models", shows: "trial-2"},
	{name: "compare model versions", mode: "ml", address: `/#/compare-model-versions?name="MODEL"&runs={"1":"R0","2":"R1"}`, shows: "max_depth"},
	{name: "settings", mode: "ml", address: "/#/settings"},
	{name: "settings webhooks", mode: "ml", address: "/#/settings/webhooks"},
	{name: "missing run", mode: "ml", address: "/#/experiments/E/runs/deadbeef", missing: true},
	{name: "missing experiment", mode: "ml", address: "/#/experiments/999999", missing: true},
	{name: "missing model", mode: "ml", address: "/#/models/no-such-model", missing: true},
	{name: "our training", mode: "ml", address: "/#/experiments/OURS?workflowType=machine_learning", shows: "train 2021"},
	{name: "our run", mode: "ml", address: "/#/experiments/OURS/runs/OURRUN", shows: "rmse_valid"},
	{name: "our curves", mode: "ml", address: "/#/experiments/OURS/runs/OURRUN/model-metrics", shows: "rmse_valid"},
	{name: "our model's files", mode: "ml", address: "/#/experiments/OURS/runs/OURRUN/artifacts/model/MLmodel", shows: "loader_module"},
	{name: "our model", mode: "ml", address: "/#/models/NYCRideDurationModel/versions/1", shows: "Inputs (3)"},
	{name: "genai experiment overview", mode: "genai", address: "/#/experiments/E/overview/usage"},
	{name: "genai experiment traces", mode: "genai", address: "/#/experiments/E/traces"},
	{name: "genai experiment sessions", mode: "genai", address: "/#/experiments/E/chat-sessions"},
	{name: "genai experiment runs", mode: "genai", address: "/#/experiments/E/runs", shows: "run 0"},
	{name: "genai evaluation-runs", mode: "genai", address: "/#/experiments/E/evaluation-runs"},
	{name: "genai datasets", mode: "genai", address: "/#/experiments/E/datasets"},
	{name: "genai judges", mode: "genai", address: "/#/experiments/E/judges"},
	{name: "genai review", mode: "genai", address: "/#/experiments/E/review-queue"},
	{name: "genai playground", mode: "genai", address: "/#/experiments/E/playground"},
	{name: "genai experiment prompts", mode: "genai", address: "/#/experiments/E/prompts", shows: "pages-prompt"},
	{name: "genai agent versions", mode: "genai", address: "/#/experiments/E/models"},
	{name: "genai run overview", mode: "genai", address: "/#/experiments/E/runs/R0", shows: "learning_rate"},
	{name: "prompts", mode: "genai", address: "/#/prompts", shows: "pages-prompt"},
	{name: "prompt", mode: "genai", address: "/#/prompts/PROMPT", shows: "what"},
	{name: "mcp registry", mode: "genai", address: "/#/mcp-registry"},
}
