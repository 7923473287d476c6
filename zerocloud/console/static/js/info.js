// What the cluster says of itself at /info: limits and features.

import { request } from "./http.js";

const known = new Map();

/** The JSON of /info; an empty object where there is none. */
export async function info(session) {
  const origin = new URL(session.url).origin;
  if (!known.has(origin))
    known.set(
      origin,
      request(`${origin}/info`)
        .then((response) => response.json())
        .catch(() => ({})),
    );
  return known.get(origin);
}
