// Texts that were left before they were saved: kept in this tab, so that Back does not lose them.

const START = "zerocloud.draft ";

/** Keep a text. Where it does not fit there is no draft. */
export function keepDraft(place, text) {
  try {
    sessionStorage.setItem(START + place, text);
  } catch {
    // The browser's few MiB for a tab are used up.
  }
}

/** The text that was kept, which is forgotten hereby; null if there is none. */
export function takeDraft(place) {
  const text = sessionStorage.getItem(START + place);
  sessionStorage.removeItem(START + place);
  return text;
}
