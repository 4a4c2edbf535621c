// Makes elements from text. Nothing here, or anywhere in the page, turns a
// string into markup: names of runs are other people's words.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((c) => c !== undefined && c !== null));
  return node;
}

// setText leaves a node alone that already says so: less work, and what a
// reader has selected or a screen reader is reading stays.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function note(text, bad) {
  return el("p", { class: bad ? "note bad" : "note" }, text);
}

// facts shows an object's entries as a list of terms.
export function facts(entries) {
  const list = el("dl");
  for (const [name, value] of entries) list.append(el("dt", {}, name), el("dd", {}, value));
  return list;
}

const marks = {
  completed: "✓", finished: "✓", cached: "✓", failed: "✕", crashed: "✕", running: "●", killed: "■",
  cancelled: "■", cancelling: "■", paused: "‖", pending: "○", scheduled: "○", production: "▲", staging: "△",
};

// state is a word with a colour and a mark, never a colour alone. The class
// comes from a fixed list, not from the server.
export function state(word, kind, message) {
  const css = kind in marks ? kind : "idle";
  return el("span", { class: `state ${css}`, title: message || undefined },
    el("span", { class: "mark", "aria-hidden": "true" }, marks[css] ?? "·"), word);
}

export function seconds(s) {
  if (s === undefined || s === null || !Number.isFinite(s)) return "";
  if (s < 0.0995) return `${Math.max(0, Math.round(s * 1000))} ms`;
  if (s < 59.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  const m = Math.floor(whole / 60);
  return m < 60 ? `${m} min ${whole % 60} s` : `${Math.floor(m / 60)} h ${m % 60} min`;
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

// ago is a time relative to now, for people.
export function ago(date) {
  if (!date || Number.isNaN(date.getTime())) return "";
  const s = (date.getTime() - Date.now()) / 1000;
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(s) >= size) return relative.format(Math.round(s / size), unit);
  }
  return s > -10 && s < 10 ? "just now" : relative.format(Math.round(s), "second");
}

export function time(date) {
  return el("time", { datetime: date.toISOString(), title: date.toLocaleString() }, ago(date));
}
