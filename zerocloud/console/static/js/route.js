// Where one is: the URL's hash, so that back, forward, reload and bookmarks work wherever the page is stored.
//
//   #/store                             containers           #/map                    the editor of system maps
//   #/store/ACCOUNT/CONTAINER?prefix=   objects              #/map/CONTAINER/OBJECT   a stored map in it
//   #/object/ACCOUNT/CONTAINER/OBJECT   one object           #/jobs   #/jobs/ID   #/usage   #/zapps
//   #/open/ACCOUNT/CONTAINER/OBJECT?with=   what its program makes of it
//
// ACCOUNT is ~ for the user's own. Every part is percent-encoded, slashes included.

/** The hash as {view, parts, query}. */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view, ...parts] = path.split("/").map(decode);
  return { view: view || "store", parts, query: new URLSearchParams(query) };
}

/** The hash of a view, its parts and an object of queries; empty ones are left out. */
export function format(view, parts = [], query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString();
  return `#/${[view, ...parts].map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** Go there, leaving an entry in the history. */
export function go(view, parts, query) {
  location.hash = format(view, parts, query);
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
