// Elements of the page, with their types.

/**
 * The first element that a selector matches.
 * @template {Element} [Kind=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} [kind] what it has to be
 * @returns {Kind}
 * @throws if there is none: the template and the script do not fit
 */
export function find(root, selector, kind) {
  const element = findOptional(root, selector, kind);
  if (!element) throw new Error(`The page has no ${selector}.`);
  return element;
}

/**
 * @template {Element} [Kind=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} [kind]
 * @returns {Kind | undefined}
 */
export function findOptional(root, selector, kind) {
  const element = root.querySelector(selector);
  return isA(element, kind) ? element : undefined;
}

/**
 * @template {Element} [Kind=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} [kind]
 * @returns {Kind[]}
 */
export function findAll(root, selector, kind) {
  return [...root.querySelectorAll(selector)].filter((element) => isA(element, kind));
}

/**
 * The event target or its nearest ancestor that matches a selector.
 * @template {Element} [Kind=HTMLElement]
 * @param {EventTarget | null | undefined} target
 * @param {string} selector
 * @param {new () => Kind} [kind]
 * @returns {Kind | undefined}
 */
export function closest(target, selector, kind) {
  const element = target instanceof Element ? target.closest(selector) : null;
  return isA(element, kind) ? element : undefined;
}

/**
 * A copy of what a template of the page holds.
 * @param {string} id
 */
export function copyTemplate(id) {
  const copy = find(document, `#${id}`, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (!(copy instanceof HTMLElement)) throw new Error(`The template ${id} is empty.`);
  return copy;
}

/**
 * Whether nothing has the focus any more, since what had it was closed or replaced.
 * @param {HTMLElement} closed which the browser may still call focused for a moment
 */
export function isFocusGone(closed) {
  const focused = document.activeElement;
  return focused === null || focused === document.body || closed.contains(focused);
}

/** @param {string} html rendered by the server */
export function parseHtml(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content;
}

/**
 * The sentence that an answer of the server holds.
 * @param {string} html
 */
export function textOf(html) {
  return parseHtml(html).textContent?.trim() ?? '';
}

/**
 * @template {Element} Kind
 * @param {Element | null} element
 * @param {(new () => Kind) | undefined} kind
 * @returns {element is Kind}
 */
function isA(element, kind) {
  return element instanceof (kind ?? HTMLElement);
}
