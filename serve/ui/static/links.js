// MLflow's clients print addresses such as http://host:5000/#/experiments/1/runs/…:
// pages of MLflow's own web interface, which a server may have at mlflow/.

// follow leaves for such a page if the address names one and the server has it.
// It reports whether it does.
export async function follow() {
  const hash = location.hash;
  if (!hash.startsWith("#/")) return false;
  const there = await fetch("mlflow/").then((response) => response.ok, () => false);
  // The interface opens in the mode of prompts and agents unless it is told otherwise.
  if (there) location.replace("mlflow/" + hash + (hash.includes("?") ? "" : "?workflowType=machine_learning"));
  return there;
}
