// The text editor: CodeMirror in a shadow root, where its style sheets are adopted ones, which the page's policy on content
// allows. Colours are the page's own variables, so it is light and dark with the page.

import { h } from "./dom.js";

const LANGUAGES = ["json", "python", "javascript", "html", "css", "cpp", "yaml", "markdown"];

/**
 * An editor: {element, text(), replaceText(text), focus(), view, cm}. `extensions(cm)` adds CodeMirror extensions; `onsave`
 * is called for Ctrl-S; `onchange` after every change. `readOnly` shows only.
 */
export async function editor({ text, language = "", label, readOnly = false, extensions = () => [], onsave, onchange }) {
  const cm = await import("../vendor/codemirror.js");
  const element = h("div", { class: "editor" });
  const root = element.attachShadow({ mode: "open" });
  const state = cm.EditorState.create({
    doc: text,
    extensions: [
      basics(cm),
      LANGUAGES.includes(language) ? cm[language]() : [],
      theme(cm),
      cm.EditorState.readOnly.of(readOnly),
      cm.EditorView.contentAttributes.of({ "aria-label": label }),
      cm.EditorView.updateListener.of((update) => update.docChanged && onchange?.()),
      onsave ? cm.keymap.of([{ key: "Mod-s", preventDefault: true, run: () => (onsave(), true) }]) : [],
      extensions(cm),
    ],
  });
  const view = new cm.EditorView({ state, parent: root, root });
  element.editor = view;
  return {
    element,
    view,
    cm,
    text: () => view.state.doc.toString(),
    replaceText: (wanted) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: wanted } }),
    focus: () => view.focus(),
  };
}

function basics(cm) {
  const keys = [
    cm.closeBracketsKeymap,
    cm.defaultKeymap,
    cm.searchKeymap,
    cm.historyKeymap,
    cm.foldKeymap,
    cm.completionKeymap,
    cm.lintKeymap,
  ].flat();
  return [
    cm.lineNumbers(),
    cm.foldGutter(),
    cm.highlightSpecialChars(),
    cm.history(),
    cm.indentOnInput(),
    cm.bracketMatching(),
    cm.closeBrackets(),
    cm.highlightActiveLine(),
    cm.highlightSelectionMatches(),
    cm.indentUnit.of("    "),
    cm.EditorView.lineWrapping,
    cm.keymap.of(keys),
  ];
}

function theme(cm) {
  const { tags } = cm;
  const colours = [
    [[tags.keyword, tags.bool, tags.null, tags.tagName], "--code-keyword"],
    [[tags.string, tags.regexp], "--code-string"],
    [[tags.number], "--code-number"],
    [[tags.comment], "--code-comment"],
    [[tags.propertyName, tags.attributeName], "--code-name"],
    [[tags.typeName, tags.className, tags.heading], "--code-type"],
    [[tags.link, tags.url], "--accent"],
  ];
  const styles = colours.flatMap(([names, variable]) => names.map((tag) => ({ tag, color: `var(${variable})` })));
  return [
    cm.syntaxHighlighting(cm.HighlightStyle.define(styles)),
    cm.EditorView.theme({
      "&": { color: "var(--text)", backgroundColor: "var(--field)", height: "100%", fontSize: "0.875rem" },
      "&.cm-focused": { outline: "2px solid var(--accent)" },
      ".cm-scroller": { fontFamily: "var(--mono)", overflow: "auto" },
      ".cm-content": { caretColor: "var(--text)", padding: "0.5rem 0" },
      ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--dim)", border: "0" },
      ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
      "&.cm-focused .cm-selectionBackground, ::selection": { backgroundColor: "var(--selection)" },
      ".cm-selectionMatch": { backgroundColor: "var(--selection)" },
      ".cm-matchingBracket": { backgroundColor: "var(--selection) !important", color: "inherit" },
      ".cm-tooltip, .cm-panels": { backgroundColor: "var(--surface)", color: "var(--text)", border: "1px solid var(--line)" },
      ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
      ".cm-completionInfo": { maxWidth: "22rem" },
      ".cm-diagnostic": { whiteSpace: "pre-wrap" },
      ".cm-foldPlaceholder": { backgroundColor: "var(--hover)", color: "var(--dim)", border: "0" },
    }),
  ];
}
