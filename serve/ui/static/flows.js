import { get } from "./api.js";
import { ago, el, facts, note, seconds, state, time } from "./dom.js";
import { Table } from "./table.js";

const date = (s) => (s ? new Date(s) : null);

const kind = (s) => (s.name === "Cached" ? "cached" : String(s.type ?? "").toLowerCase());

// lasted is the time a run took, or has taken so far.
function lasted(run) {
  if (Number.isFinite(run.seconds) && (run.end_time || run.seconds > 0)) return run.seconds;
  return run.start_time && !run.end_time ? (Date.now() - date(run.start_time)) / 1000 : undefined;
}

const stateColumn = {
  title: "State",
  text: (r) => `${r.state?.name ?? ""}|${r.state?.message ?? ""}`,
  node: (r) => state(r.state?.name ?? "", kind(r.state ?? {}), r.state?.message),
};

const startedColumn = {
  title: "Started",
  text: (r) => ago(date(r.start_time ?? r.created)),
  node: (r) => (r.start_time ?? r.created ? time(date(r.start_time ?? r.created)) : ""),
};

const durationColumn = { title: "Duration", number: true, text: (r) => seconds(lasted(r)) };

export function flowTable(host, label, empty) {
  return new Table(host, {
    label,
    empty,
    id: (r) => r.id,
    columns: [stateColumn, { title: "Name", header: true, text: (r) => r.name ?? "" }, { title: "Flow", text: (r) => r.flow ?? "" }, startedColumn, durationColumn],
    detail: flowDetail,
  });
}

// flowDetail fetches what is in a run while it is open; a run that has ended is
// fetched once, and again when it was resumed.
async function flowDetail(box, run) {
  if (box.busy || (box.ended && box.ended === run.end_time)) return;
  box.busy = true;
  try {
    const { flow_run, task_runs, subflows } = await get(`api/engine/v1/flow-runs/${encodeURIComponent(run.id)}`);
    showDetail(box, flow_run ?? run, task_runs ?? [], subflows ?? []);
    box.ended = flow_run?.end_time;
  } catch (error) {
    box.problem ??= box.appendChild(note("", true));
    box.problem.textContent = error.message;
  } finally {
    box.busy = false;
  }
}

function showDetail(box, run, tasks, subflows) {
  if (!box.tasks) {
    box.facts = el("div");
    const [taskHost, subflowHost] = [el("div"), el("div")];
    box.taskPart = el("div", {}, el("h3", {}, "Tasks"), taskHost);
    box.subflowPart = el("div", {}, el("h3", {}, "Subflows"), subflowHost);
    box.replaceChildren(box.facts, box.taskPart, box.subflowPart);
    box.problem = undefined;
    box.tasks = new Table(taskHost, {
      label: "Task runs",
      empty: "No task has run.",
      id: (t) => t.key,
      columns: [
        stateColumn,
        { title: "Task", header: true, text: (t) => t.name ?? "" },
        { title: "Key", text: (t) => t.key ?? "", node: (t) => el("code", {}, t.key ?? "") },
        { title: "Attempts", number: true, text: (t) => String(t.attempts ?? "") },
        durationColumn,
        { title: "Cached from", text: (t) => t.cached_from ?? "", node: (t) => el("code", { title: t.cached_from }, t.cached_from ?? "") },
      ],
    });
    box.subflows = flowTable(subflowHost, "Subflow runs", "");
  }
  const known = [["Run", el("code", {}, run.id)]];
  if (run.state?.message) known.push(["Message", run.state.message]);
  if (run.parameters !== undefined) known.push(["Parameters", shown(run.parameters)]);
  const text = JSON.stringify([run.state, run.parameters]);
  if (box.said !== text) {
    box.said = text;
    box.facts.replaceChildren(facts(known));
  }
  const calls = tasks.filter((t) => !t.subflow_id); // the others are the subflows
  box.tasks.update(calls);
  box.subflows.update(subflows);
  box.taskPart.hidden = calls.length === 0 && subflows.length > 0;
  box.subflowPart.hidden = subflows.length === 0;
}

// shown lists an object's members; what is within them stays JSON.
function shown(parameters) {
  const word = (v) => (typeof v === "string" ? v : JSON.stringify(v));
  if (parameters === null || typeof parameters !== "object" || Array.isArray(parameters)) return word(parameters);
  return facts(Object.entries(parameters).map(([k, v]) => [k, word(v)]));
}

export class Flows {
  constructor(host) {
    this.table = flowTable(host, "Flow runs", "No flow has run yet: taximeter train --date latest starts one.");
  }

  async refresh() {
    const { flow_runs } = await get("api/engine/v1/flow-runs", { limit: 50 });
    this.table.update((flow_runs ?? []).filter((r) => !r.parent_id));
  }
}
