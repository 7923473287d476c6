// Signing in at a Keystone (Identity API v3): a password for a token of a project, and the project's object store from the
// catalog.

import { request, Refused } from "./http.js";

const SERVICE = "object-store";

/** Whether an address is that of a Keystone rather than of Swift's own authentication. */
export function isKeystone(authUrl) {
  return /\/v3\/?$/.test(authUrl);
}

/** {url, token} of the project's object store. Raises Refused, Unreachable. */
export async function keystoneLogin(authUrl, { user, password, project, domain }) {
  const home = { name: domain || "Default" };
  const identity = { methods: ["password"], password: { user: { name: user, domain: home, password } } };
  const body = JSON.stringify({ auth: { identity, scope: { project: { name: project, domain: home } } } });
  const headers = { "Content-Type": "application/json" };
  const response = await request(`${authUrl.replace(/\/+$/, "")}/auth/tokens`, { method: "POST", headers, body }).catch(
    explained,
  );
  const token = response.headers.get("X-Subject-Token");
  if (!token) throw new Refused(response.status, "Keystone does not show its token to pages of this address (CORS).");
  return { token, url: storageUrl((await response.json()).token?.catalog ?? []) };
}

/** The public address of the object store. Raises Refused if the catalog has none. */
export function storageUrl(catalog) {
  const services = catalog.filter((service) => service.type === SERVICE);
  const endpoint = services.flatMap((service) => service.endpoints ?? []).find((one) => one.interface === "public");
  if (!endpoint) throw new Refused(404, "The project has no object store.");
  return endpoint.url;
}

function explained(error) {
  if (error instanceof Refused && error.status === 401)
    throw new Refused(401, "Keystone does not know this user, password and project.");
  throw error;
}
