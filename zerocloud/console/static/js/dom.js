// Elements without markup: text is always text, whatever it says. Nothing in the console parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const LINKS = /^(#|blob:|https?:\/\/)/;

/** An HTML element. Attributes named on… are listeners; false, null and undefined leave an attribute out. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Give the element these children and no others. Strings and numbers become text. */
export function replace(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** Add children to the element. */
export function append(element, ...children) {
  element.append(...nodes(children));
  return element;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) set(element, name, value);
  return append(element, ...children);
}

function set(element, name, value) {
  if (value === false || value === null || value === undefined) return;
  if (name.startsWith("on")) {
    if (typeof value !== "function") throw new TypeError(`${name} is no function`);
    element.addEventListener(name.slice(2), value);
  } else if (name === "href" && !LINKS.test(value)) {
    throw new TypeError("a link to nowhere we know");
  } else if (name === "value" || name === "checked" || name === "disabled" || name === "indeterminate") {
    element[name] = value;
  } else {
    element.setAttribute(name, value === true ? "" : value);
  }
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}
