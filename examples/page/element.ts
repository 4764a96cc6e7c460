/** The element of the page with this id, which must be of this class. */
export function element<T extends Element>(id: string, kind: abstract new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} called ${id}`);
}

/** A new element of SVG. */
export function shape(
  name: 'circle' | 'g' | 'line' | 'path' | 'rect' | 'text',
  attributes: Readonly<Record<string, string | number>>,
  content = '',
): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = content;
  return made;
}

/** A new element of HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className = '',
  content = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  made.textContent = content;
  return made;
}
