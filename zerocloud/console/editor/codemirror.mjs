// What the console uses of CodeMirror 6 and js-yaml, as one module. Everything else is left out of the bundle.
export { EditorState, Compartment } from "@codemirror/state";
export { EditorView, keymap, lineNumbers, highlightActiveLine, drawSelection, highlightSpecialChars } from "@codemirror/view";
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export {
  autocompletion,
  completionKeymap,
  closeBrackets,
  closeBracketsKeymap,
  startCompletion,
} from "@codemirror/autocomplete";
export {
  HighlightStyle,
  syntaxHighlighting,
  syntaxTree,
  bracketMatching,
  foldGutter,
  foldKeymap,
  indentOnInput,
  indentUnit,
  ensureSyntaxTree,
} from "@codemirror/language";
export { linter, lintGutter, lintKeymap, setDiagnostics, forceLinting } from "@codemirror/lint";
export { searchKeymap, highlightSelectionMatches } from "@codemirror/search";
export { tags } from "@lezer/highlight";
export { json } from "@codemirror/lang-json";
export { python } from "@codemirror/lang-python";
export { javascript } from "@codemirror/lang-javascript";
export { html } from "@codemirror/lang-html";
export { css } from "@codemirror/lang-css";
export { cpp } from "@codemirror/lang-cpp";
export { yaml } from "@codemirror/lang-yaml";
export { markdown } from "@codemirror/lang-markdown";
export { load as parseYaml, JSON_SCHEMA as plainYaml } from "js-yaml";
