// Every address is relative to the page, so that it works below any prefix.

export class Failure extends Error {
  constructor(status, message, field) {
    super(message);
    Object.assign(this, { status, field });
  }
}

export async function get(path, query = {}) {
  const q = new URLSearchParams(query).toString();
  return call(path + (q && "?" + q), {});
}

export async function post(path, body) {
  return call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

async function call(path, init) {
  const response = await fetch(path, { ...init, cache: "no-store" });
  const text = await response.text();
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // what is not JSON is an error below, told by its status
  }
  if (response.ok && answer !== null) return answer;
  const error = answer?.error ?? answer ?? {};
  throw new Failure(response.status, error.message ?? (typeof error === "string" ? error : `${path} answered ${response.status}`), error.field);
}
