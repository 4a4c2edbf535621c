import { post } from "./api.js";
import { ago, el, facts, seconds, state, time } from "./dom.js";
import { Table } from "./table.js";

const metric = (run, key) => run.metrics.get(key);

// perRow shows seconds a row in the unit that fits.
function perRow(s) {
  if (s === undefined || Number.isNaN(s)) return "";
  return s < 1e-6 ? `${(s * 1e9).toPrecision(3)} ns` : `${(s * 1e6).toPrecision(3)} µs`;
}

const capital = (word) => word.charAt(0) + word.slice(1).toLowerCase();

const decimals = (v, n) => (v === undefined ? "" : v.toFixed(n));

const columns = [
  { title: "Name", header: true, text: (r) => r.name, value: (r) => r.name },
  { title: "Status", text: (r) => r.status, node: (r) => state(capital(r.status), r.status.toLowerCase()), value: (r) => r.status },
  { title: "Kind", text: (r) => r.kind, value: (r) => r.kind },
  { title: "Valid RMSE", number: true, text: (r) => decimals(metric(r, "rmse_valid") ?? metric(r, "rmse"), 4), value: (r) => metric(r, "rmse_valid") ?? metric(r, "rmse") },
  { title: "Time a row", number: true, text: (r) => perRow(metric(r, "inference_time")), value: (r) => metric(r, "inference_time") },
  { title: "Duration", number: true, text: (r) => seconds(r.seconds), value: (r) => r.seconds },
  { title: "Started", text: (r) => ago(r.started), node: (r) => (r.started ? time(r.started) : ""), value: (r) => r.started?.getTime() },
  { title: "Parameters", text: (r) => r.settings, node: (r) => el("span", { class: "dim", title: r.settings }, r.settings) },
];

// read turns MLflow's lists of keys and values into what the table shows.
function read({ info, data }) {
  const pairs = (list) => new Map((list ?? []).map(({ key, value }) => [key, value]));
  const [params, tags] = [pairs(data?.params), pairs(data?.tags)];
  const started = Number(info.start_time) ? new Date(Number(info.start_time)) : null;
  const ended = Number(info.end_time) || (info.status === "RUNNING" ? Date.now() : undefined);
  return {
    id: info.run_id,
    name: info.run_name || tags.get("mlflow.runName") || info.run_id,
    status: String(info.status ?? ""),
    kind: params.get("model") ?? "",
    started,
    seconds: started && ended ? (ended - started.getTime()) / 1000 : undefined,
    metrics: new Map((data?.metrics ?? []).map(({ key, value }) => [key, Number(value)])),
    params,
    tags,
  };
}

// tellApart gives every run its parameters in a line: those by which the runs
// differ, numbers to four digits. Data and kind have places of their own.
function tellApart(runs) {
  const values = new Map();
  for (const { params } of runs) {
    for (const [k, v] of params) values.set(k, (values.get(k) ?? new Set()).add(v));
  }
  const differ = (k) => values.get(k).size > 1 && k !== "model" && !/^(train|valid)_/.test(k);
  const short = (v) => (v !== "" && Number.isFinite(Number(v)) ? String(Number(Number(v).toPrecision(4))) : v);
  for (const run of runs) {
    run.settings = byName(run.params).filter(([k]) => differ(k)).map(([k, v]) => `${k} ${short(v)}`).join(", ");
  }
  return runs;
}

const byName = (map) => [...map].sort(([a], [b]) => a.localeCompare(b));

function runDetail(box, run) {
  const text = JSON.stringify([run.id, [...run.metrics], [...run.params], [...run.tags]]);
  if (box.said === text) return;
  box.said = text;
  const block = (title, map) => map.size > 0 && el("div", {}, el("h3", {}, title), facts(byName(map).map(([k, v]) => [k, String(v)])));
  box.replaceChildren(el("p", { class: "note" }, "Run ", el("code", {}, run.id)), el("div", { class: "columns" },
    ...[block("Parameters", run.params), block("Metrics", run.metrics), block("Tags", run.tags)].filter(Boolean)));
}

export class Runs {
  constructor(host, picker) {
    this.picker = picker;
    this.table = new Table(host, { label: "Tracked runs", empty: "No run is tracked here.", id: (r) => r.id, columns, detail: runDetail });
    picker.addEventListener("change", () => this.refresh());
  }

  async refresh() {
    const { experiments } = await post("ajax-api/2.0/mlflow/experiments/search", { max_results: 1000 });
    await this.offer(experiments ?? []);
    const chosen = this.picker.value;
    const runs = chosen ? await this.search([chosen], 200) : [];
    if (chosen !== this.picker.value) return; // changed meanwhile: that change's own refresh shows it
    this.table.update(tellApart(runs));
  }

  async search(experiment_ids, max_results) {
    const { runs } = await post("ajax-api/2.0/mlflow/runs/search",
      { experiment_ids, max_results, run_view_type: "ACTIVE_ONLY", order_by: ["attributes.start_time DESC"] });
    return (runs ?? []).map((run) => ({ ...read(run), experiment: run.info.experiment_id }));
  }

  // offer keeps the picker's choices; the first choice is where the newest run is.
  async offer(experiments) {
    const text = JSON.stringify(experiments.map((e) => [e.experiment_id, e.name]));
    if (this.offered === text) return;
    let chosen = this.picker.value;
    if (!this.settled) {
      const newest = experiments.length ? await this.search(experiments.map((e) => e.experiment_id), 1) : [];
      chosen = newest[0]?.experiment ?? "";
      this.settled = newest.length > 0;
    }
    this.offered = text;
    this.picker.replaceChildren(...experiments.map((e) => el("option", { value: e.experiment_id }, e.name)));
    if (experiments.some((e) => e.experiment_id === chosen)) this.picker.value = chosen;
  }
}
