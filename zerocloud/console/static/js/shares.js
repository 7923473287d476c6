// Containers of other accounts that the user keeps in sight: noted in the account's metadata, as Shared1, Shared2, …

import { metadata } from "./store.js";

const NAME = /^shared(\d+)$/;

/** The notes among an account's headers: {key, account, container}. */
export function shares(headers) {
  return metadata(headers, "account").flatMap(([key, value]) => {
    const slash = value.indexOf("/");
    return NAME.test(key) && slash > 0 ? [{ key, account: value.slice(0, slash), container: value.slice(slash + 1) }] : [];
  });
}

/** Note one more, if it can be listed. Raises Refused. */
export async function addShare(store, account, container) {
  if (!account || !container || account.includes("/")) throw new Error("An account and a container, please.");
  await store.objects(account, container, { limit: 1 });
  const known = shares(await store.head("~"));
  if (known.some((one) => one.account === account && one.container === container)) return;
  const free = 1 + Math.max(0, ...known.map((one) => Number(NAME.exec(one.key)[1])));
  await store.post("~", undefined, undefined, { [`X-Account-Meta-Shared${free}`]: `${account}/${container}` });
}

/** Forget one. */
export async function dropShare(store, entry) {
  await store.post("~", undefined, undefined, { [`X-Remove-Account-Meta-${entry.key}`]: "x" });
}
