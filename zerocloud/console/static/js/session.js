// Who is signed in. The token lives in this tab's sessionStorage: it goes with the tab, and no other page of the server's can
// read it unless it is opened in this very tab.

import { request, unwire, Refused } from "./http.js";
import { keystoneLogin } from "./keystone.js";

const KEY = "zerocloud.session";

/** {url, token, user}, or null. */
export function current() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

/** The account's name, as it is in URLs. */
export function accountOf(session) {
  return decodeURIComponent(new URL(session.url).pathname.replace(/\/+$/, "").split("/").pop());
}

/** The URL of an account on the same cluster; ~ is the user's own. */
export function accountUrl(session, account) {
  if (account === "~") return session.url;
  return session.url.replace(/[^/]+$/, encodeURIComponent(account));
}

/** Where the page signs in unless told otherwise. */
export function defaultAuthUrl() {
  const given = document.querySelector('meta[name="zerocloud-auth-url"]').content;
  return new URL(given.startsWith("%") ? "/auth/v1.0" : given, location.origin).href;
}

/** Sign in by user and key (Swift's auth version 1). Raises Refused, Unreachable. */
export async function signIn(authUrl, user, key) {
  const response = await request(authUrl, { headers: { "X-Auth-User": user, "X-Auth-Key": key } }).catch((error) => {
    if (error instanceof Refused && error.status === 401) throw new Refused(401, "The server does not know this user and key.");
    throw error;
  });
  const url = unwire(response.headers.get("X-Storage-Url"));
  const token = response.headers.get("X-Auth-Token") ?? response.headers.get("X-Storage-Token");
  if (!url || !token) throw new Refused(response.status, `${authUrl} gives no token: is it the address of a sign-in service?`);
  return useToken(url, token, user);
}

/** Sign in at a Keystone: `who` has user, password, project and domain. Raises Refused, Unreachable. */
export async function signInByKeystone(authUrl, who) {
  const { url, token } = await keystoneLogin(authUrl, who);
  return useToken(url, token, `${who.project}:${who.user}`);
}

/** Sign in by a token that is there already; asks the account whether it holds. Raises Refused, Unreachable. */
export async function useToken(url, token, user = "") {
  const session = { url: url.replace(/\/+$/, ""), token, user };
  await request(session.url, { method: "HEAD", headers: { "X-Auth-Token": token } }).catch((error) => {
    if (error instanceof Refused) throw new Refused(error.status, "The account does not accept this token.");
    throw error;
  });
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

/** Forget the token, and what was typed under it. */
export function signOut() {
  sessionStorage.clear();
}
