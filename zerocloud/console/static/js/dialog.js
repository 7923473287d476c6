// Questions, in the browser's own modal dialogs: Escape closes, focus stays inside and returns afterwards.

import { append, h, replace } from "./dom.js";

/** Show a form; resolves to what `read()` returned when it was sent, or null. `read` may throw: its message is shown. */
export function ask(title, fields, read, { action = "OK", danger = false, wide = false } = {}) {
  return new Promise((resolve) => {
    const id = `dialog-${crypto.randomUUID()}`;
    const problem = h("p", { class: "problem", role: "alert" });
    const send = h("button", { type: "submit", class: danger ? "danger" : "primary" }, action);
    const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
    const form = h(
      "form",
      { method: "dialog", novalidate: true },
      h("h2", { id }, title),
      fields,
      problem,
      h("div", { class: "actions" }, cancel, send),
    );
    const dialog = h("dialog", { class: wide ? "wide" : "", "aria-labelledby": id }, form);
    let answer = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      send.disabled = true;
      try {
        answer = await read();
        dialog.close();
      } catch (error) {
        replace(problem, error.message);
      } finally {
        send.disabled = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    append(document.body, dialog);
    dialog.showModal();
  });
}

/** Yes or no. */
export async function confirm(title, text, action) {
  return (await ask(title, h("p", {}, text), () => true, { action, danger: true })) === true;
}

/** A labelled field. */
export function field(label, input, hint = "") {
  const id = input.id || `field-${crypto.randomUUID()}`;
  input.id = id;
  const note = hint ? h("small", { id: `${id}-hint` }, hint) : null;
  if (note) input.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: id }, label), input, note);
}
