// A button that opens a short list of actions; arrow keys move in it, Escape closes it.

import { h } from "./dom.js";

/** `actions` are [title, function] or [title, function, "danger"]. `name` is what the menu is for, for those who can't see. */
export function menu(name, actions) {
  const id = `menu-${crypto.randomUUID()}`;
  const items = actions.filter(Boolean).map(([title, work, kind = ""]) =>
    h(
      "button",
      {
        type: "button",
        role: "menuitem",
        class: kind,
        onclick: () => {
          list.hidePopover();
          work();
        },
      },
      title,
    ),
  );
  const list = h(
    "div",
    { class: "menu", popover: "auto", role: "menu", id, "aria-label": name, onkeydown: move, ontoggle: place },
    items,
  );
  const button = h(
    "button",
    { type: "button", class: "quiet", popovertarget: id, "aria-haspopup": "menu", "aria-label": name },
    "⋯",
  );

  function place(event) {
    if (event.newState !== "open") return;
    const at = button.getBoundingClientRect();
    const height = list.offsetHeight;
    list.style.top = `${at.bottom + height > innerHeight ? at.top - height : at.bottom}px`;
    list.style.left = `${Math.max(8, at.right - list.offsetWidth)}px`;
    items[0]?.focus();
  }

  function move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  }

  return h("span", { class: "menu-anchor" }, button, list);
}
