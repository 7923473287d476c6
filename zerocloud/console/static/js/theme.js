// Light, dark, or as the system has it. Kept in this browser.

const KEY = "zerocloud.theme";

export const choices = [
  ["", "Auto"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/** What was chosen. */
export function chosen() {
  return localStorage.getItem(KEY) ?? "";
}

/** Choose, and keep it. */
export function choose(theme) {
  localStorage.setItem(KEY, theme);
  apply();
}

/** Show what was chosen. */
export function apply() {
  document.documentElement.dataset.theme = chosen();
}

apply();
