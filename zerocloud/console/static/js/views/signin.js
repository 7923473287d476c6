// Signing in: by user and key, at Swift's own authentication or at a Keystone, or by a token and an account's URL.

import { h, replace } from "../dom.js";
import { field } from "../dialog.js";
import { isKeystone } from "../keystone.js";
import { defaultAuthUrl, signIn, signInByKeystone, useToken } from "../session.js";
import "../theme.js";

/** The page for who is not signed in, and why; calls `done` when that has changed. */
export function signInView(done, reason = "") {
  const user = h("input", {
    autocomplete: "username",
    spellcheck: "false",
    autocapitalize: "none",
    required: true,
    name: "user",
  });
  const key = h("input", { type: "password", autocomplete: "current-password", required: true, name: "key" });
  const authUrl = h("input", { type: "url", value: defaultAuthUrl(), spellcheck: "false", name: "auth-url" });
  const url = h("input", { type: "url", placeholder: "https://host/v1/ACCOUNT", spellcheck: "false", name: "storage-url" });
  const token = h("input", { type: "password", autocomplete: "off", name: "token" });
  const project = h("input", { spellcheck: "false", name: "project" });
  const domain = h("input", { spellcheck: "false", value: "Default", name: "domain" });
  const scope = h("div", { class: "scope" }, field("Project", project), field("Domain", domain));
  const choose = () => (scope.hidden = !isKeystone(authUrl.value.trim()));
  authUrl.addEventListener("input", choose);
  choose();
  const send = () => {
    const [address, name] = [authUrl.value.trim(), user.value.trim()];
    if (!isKeystone(address)) return signIn(address, name, key.value);
    const who = { user: name, password: key.value, project: project.value.trim(), domain: domain.value.trim() };
    return signInByKeystone(address, who);
  };
  const byKey = entry(
    "Sign in",
    send,
    done,
    field("User", user, "ACCOUNT:NAME, or a name that Keystone knows"),
    secret("Key", key),
    scope,
    h(
      "details",
      {},
      h("summary", {}, "Another server"),
      field("Sign-in address", authUrl, "…/auth/v1.0, or a Keystone’s …/v3"),
    ),
  );
  const byToken = entry(
    "Use this token",
    () => useToken(url.value.trim(), token.value.trim()),
    done,
    field("Storage URL", url),
    secret("Token", token),
  );
  return h(
    "main",
    { class: "signin" },
    h("h1", {}, h("img", { src: "icon.svg", alt: "", width: "36", height: "36" }), "ZeroCloud"),
    reason && h("p", { class: "notice problem", role: "alert" }, reason),
    byKey,
    h("details", {}, h("summary", {}, "Sign in by a token"), byToken),
  );
}

function entry(action, work, done, ...fields) {
  const problem = h("p", { class: "problem", role: "alert" });
  const button = h("button", { type: "submit", class: "primary" }, action);
  const form = h("form", { onsubmit: submit }, fields, problem, button);
  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    replace(problem);
    try {
      await work();
      done();
    } catch (error) {
      replace(problem, error instanceof TypeError ? "The address is no URL." : error.message);
    } finally {
      button.disabled = false;
    }
  }
  return form;
}

/** A field for a secret, with a button that shows what was typed. */
function secret(label, input) {
  const button = h("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: toggle }, "Show");
  function toggle() {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  }
  const labelled = field(label, input);
  labelled.append(button);
  labelled.classList.add("secret");
  return labelled;
}
