import { get, post } from "./api.js";
import { el, setText } from "./dom.js";

// number keeps what is not one as it is: the server says what is wrong with it.
function number(text) {
  const s = text.trim();
  return s !== "" && Number.isFinite(Number(s)) ? Number(s) : s;
}

// Predict is the form that asks for a prediction.
export class Predict {
  constructor(form, answer) {
    Object.assign(this, { form, answer });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
  }

  async ask() {
    const ride = {};
    for (const input of this.form.querySelectorAll("input")) {
      input.removeAttribute("aria-invalid");
      if (input.value.trim() !== "") ride[input.name] = number(input.value);
    }
    try {
      const { duration, model_version } = await post("predict", ride);
      this.answer.className = "answer";
      this.answer.replaceChildren(el("strong", {}, duration.toFixed(2)), ` minutes, says model version ${model_version}`);
    } catch (error) {
      this.answer.className = "answer bad";
      this.answer.textContent = error.message;
      for (const input of this.form.querySelectorAll("input")) {
        if (input.name === error.field) {
          input.setAttribute("aria-invalid", "true");
          input.focus();
        }
      }
    }
  }
}

// Serving says which model answers.
export class Serving {
  constructor(line) {
    this.line = line;
  }

  async refresh() {
    const status = await get("predict");
    setText(this.line, status.ready ? `Serving ${status.model} version ${status.version}` : `Serving no model: ${status.message}`);
  }
}
