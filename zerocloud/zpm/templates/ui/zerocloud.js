// Signs in, fills in the system map that lies beside this page, and runs it.
"use strict";

const zerocloud = (() => {
  const UNSAFE = /[\\", \n]/g;

  const escape = (text) =>
    text.replace(UNSAFE, (letter) => "\\x" + letter.charCodeAt(0).toString(16).padStart(2, "0"));

  async function expectOk(response) {
    if (response.ok) return response;
    throw new Error((await response.text()).trim() || `status ${response.status}`);
  }

  async function signInV1(auth) {
    const response = await expectOk(await fetch(auth.authUrl, {
      headers: { "X-Auth-User": auth.username, "X-Auth-Key": auth.password },
    }));
    return { url: response.headers.get("X-Storage-Url"), token: response.headers.get("X-Auth-Token") };
  }

  async function signInV2(auth) {
    const passwordCredentials = { username: auth.username, password: auth.password };
    const response = await expectOk(await fetch(`${auth.authUrl.replace(/\/$/, "")}/tokens`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ auth: { tenantName: auth.tenant, passwordCredentials } }),
    }));
    const { access } = await response.json();
    const service = access.serviceCatalog.find((entry) => entry.name === "swift");
    return { url: service.endpoints[0].publicURL, token: access.token.id };
  }

  async function signInV3(auth) {
    const user = { name: auth.username, domain: { name: auth.userDomain }, password: auth.password };
    const scope = { project: { name: auth.project, domain: { name: auth.projectDomain } } };
    const response = await expectOk(await fetch(`${auth.authUrl.replace(/\/(v3\/?)?$/, "")}/v3/auth/tokens`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ auth: { identity: { methods: ["password"], password: { user } }, scope } }),
    }));
    const { token } = await response.json();
    const service = token.catalog.find((entry) => entry.type === "object-store");
    const endpoint = service.endpoints.find((entry) => entry.interface === "public");
    return { url: endpoint.url, token: response.headers.get("X-Subject-Token") };
  }

  async function signIn(auth) {
    if (auth.version === "3") return signInV3(auth);
    if (auth.version === "1.0") return signInV1(auth);
    if (auth.version === "2.0") return signInV2(auth);
    return { url: auth.swiftUrl, token: auth.token };
  }

  // The map with the arguments and paths that were typed.
  function filled(map, values, account) {
    const words = values.filter((value) => value.kind === "argument" && value.text).map((value) => escape(value.text));
    const exec = map[0].exec;
    exec.args = [exec.args, ...words].filter(Boolean).join(" ");
    for (const value of values.filter((one) => one.kind === "device" && one.text)) {
      value.device(map).path = `swift://${account}/${value.text.split("/").map(encodeURIComponent).join("/")}`;
    }
    return map;
  }

  async function run(auth, values) {
    const { url, token } = await signIn(auth);
    const headers = token ? { "X-Auth-Token": token } : {};
    const map = await (await expectOk(await fetch("boot/system.map", { headers }))).json();
    const account = url.replace(/\/$/, "").split("/").pop();
    const response = await fetch(url, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json", "X-Zerovm-Execute": "1.0" },
      body: JSON.stringify(filled(map, values, account)),
    });
    return (await expectOk(response)).text();
  }

  function field(form, label, type = "text") {
    const input = Object.assign(document.createElement("input"), { type, id: `field-${form.elements.length}` });
    const text = Object.assign(document.createElement("label"), { htmlFor: input.id, textContent: label });
    form.append(text, input);
    return input;
  }

  function app(zapp, auth) {
    const form = document.getElementById("form");
    const output = document.getElementById("output");
    const help = zapp.help || {};
    document.getElementById("description").textContent = help.description || "";
    const token = auth.version === "0.0" ? field(form, "Token, if the account needs one", "password") : null;
    const fields = (help.args || []).map(([, label]) => ({ kind: "argument", input: field(form, label) }));
    zapp.execution.groups.forEach((group, index) => {
      for (const { name } of (group.devices || []).filter((one) => ["input", "output"].includes(one.name))) {
        const device = (map) => map[index].devices.find((one) => one.name === name);
        fields.push({ kind: "device", device, input: field(form, `${group.name}: ${name} (container/object)`) });
      }
    });
    const button = Object.assign(document.createElement("button"), { textContent: "Execute" });
    form.append(button);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      output.textContent = "Executing…";
      try {
        const values = fields.map(({ input, ...rest }) => ({ ...rest, text: input.value }));
        output.textContent = await run(token ? { ...auth, token: token.value } : auth, values);
      } catch (error) {
        output.textContent = `Failed: ${error.message}`;
      } finally {
        button.disabled = false;
      }
    });
  }

  return { app, escape, filled };
})();
