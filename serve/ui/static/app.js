import { Flows } from "./flows.js";
import { follow } from "./links.js";
import { Models } from "./models.js";
import { Predict, Serving } from "./predict.js";
import { Runs } from "./runs.js";
import { note, setText } from "./dom.js";

const every = 3000; // milliseconds between looks, while the page is seen

const by = (selector) => document.querySelector(selector);

const parts = [
  ["#flows", new Flows(by("#flows .body"))],
  ["#runs", new Runs(by("#runs .body"), by("#experiment"))],
  ["#models", new Models(by("#models .body"))],
  [null, new Serving(by("#serving"))],
];

new Predict(by("#predict form"), by("#answer"));

// refresh asks all parts at once; one that fails says so in its own place.
async function refresh() {
  const results = await Promise.allSettled(parts.map(([, part]) => part.refresh()));
  results.forEach((result, i) => tell(parts[i][0], result.reason));
  const lost = results.every((r) => r.status === "rejected");
  by("#connection").className = lost ? "connection lost" : "connection";
  setText(by("#connection"), lost ? "The server does not answer; trying again" : "");
}

function tell(section, error) {
  const card = section && by(section);
  if (!card) return;
  let line = card.querySelector(":scope > .note.bad");
  if (!error) {
    line?.remove();
    return;
  }
  line ??= card.appendChild(note("", true));
  line.setAttribute("role", "status");
  setText(line, error.message);
}

let timer = 0;
let busy = false;

async function look() {
  clearTimeout(timer);
  if (busy || document.hidden) return;
  busy = true;
  await refresh();
  busy = false;
  if (!document.hidden) timer = setTimeout(look, every);
}

window.addEventListener("hashchange", follow);
if (!(await follow())) {
  document.addEventListener("visibilitychange", look);
  look();
}
