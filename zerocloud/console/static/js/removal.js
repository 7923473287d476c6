// Deleting many objects, with progress.

import { Refused } from "./http.js";
import { inParallel, run } from "./tasks.js";

const AT_A_TIME = 6;
const ATTEMPTS = 5;

/** Delete a container with all it holds. Returns whether it is gone. */
export function deleteContainer(store, name, expected) {
  return run(`Delete ${name}`, async (task) => {
    await deleteBelow(store, "~", name, "", task, expected);
    await untilEmpty(() => store.remove("~", name, undefined, task.signal), task.signal);
  });
}

/** Delete every object whose name begins with the prefix. Returns whether all are gone. */
export function deletePrefix(store, account, container, prefix) {
  return run(`Delete ${prefix}`, (task) => deleteBelow(store, account, container, prefix, task));
}

async function deleteBelow(store, account, container, prefix, task, expected = 0) {
  let done = 0;
  const one = async (entry) => {
    await forgiving(() => store.remove(account, container, entry.name, task.signal));
    task.progress((done += 1), Math.max(expected, done), "deleted");
  };
  await inParallel(store.everything(account, container, prefix, task.signal), one, AT_A_TIME);
}

/** What is gone already is what was wanted. */
async function forgiving(remove) {
  await remove().catch((error) => {
    if (!(error instanceof Refused && error.status === 404)) throw error;
  });
}

/** A listing may lag behind: a container that seems to hold something is asked again after a moment. */
async function untilEmpty(remove, signal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await forgiving(remove);
    } catch (error) {
      if (!(error instanceof Refused && error.status === 409) || attempt === ATTEMPTS || signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
    }
  }
}
