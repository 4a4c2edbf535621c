import { get } from "./api.js";
import { ago, el, state, time } from "./dom.js";
import { Table } from "./table.js";

const columns = [
  { title: "Model", header: true, text: (v) => v.name, value: (v) => v.name },
  { title: "Version", number: true, text: (v) => v.version, value: (v) => Number(v.version) },
  { title: "Stage", text: (v) => v.current_stage ?? "", node: (v) => stage(v.current_stage), value: (v) => v.current_stage },
  { title: "Aliases", text: (v) => (v.aliases ?? []).join(", ") },
  { title: "Created", text: (v) => ago(created(v)), node: (v) => time(created(v)), value: (v) => Number(v.creation_timestamp) },
  { title: "Run", text: (v) => v.run_id ?? "", node: (v) => el("code", { title: v.run_id }, (v.run_id ?? "").slice(0, 8)) },
  { title: "Description", text: (v) => v.description ?? "", wrap: true },
];

const created = (v) => new Date(Number(v.creation_timestamp ?? 0));

const stage = (word) => (word && word !== "None" ? state(word, word.toLowerCase()) : "–");

export class Models {
  constructor(host) {
    this.table = new Table(host, {
      label: "Model versions",
      empty: "No model is registered yet.",
      id: (v) => `${v.name}/${v.version}`,
      columns,
      sort: { column: 1, down: true },
    });
  }

  async refresh() {
    const [{ registered_models }, { model_versions }] = await Promise.all([
      get("ajax-api/2.0/mlflow/registered-models/search", { max_results: 100 }),
      get("ajax-api/2.0/mlflow/model-versions/search", { max_results: 200 }),
    ]);
    const aliases = new Map();
    for (const m of registered_models ?? []) {
      for (const { alias, version } of m.aliases ?? []) {
        const key = `${m.name}/${version}`;
        aliases.set(key, [...(aliases.get(key) ?? []), alias]);
      }
    }
    this.table.update((model_versions ?? []).map((v) => ({ ...v, version: String(v.version), aliases: aliases.get(`${v.name}/${v.version}`) })));
  }
}
