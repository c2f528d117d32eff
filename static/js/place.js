// Puts pushed fragments where they belong. A fragment says so itself, by data-live or data-event.

/**
 * data-live="replace"  takes the place of the element with its id
 * data-live="place"    the same, or goes into #data-into, in the order of data-sort
 * data-live="remove"   takes away the element with its id
 * data-event="ack"     is a fact: dispatched as the event "hearth:ack" with its data attributes
 * anything else        is given to `onOther`, the feature's own
 * @param {string} html
 * @param {(element: HTMLElement) => void} onOther
 */
export function place(html, onOther = () => {}) {
  const template = document.createElement('template');
  template.innerHTML = html;
  for (const element of [...template.content.children]) {
    if (element.dataset.event) {
      dispatchEvent(new CustomEvent(`hearth:${element.dataset.event}`, { detail: { ...element.dataset } }));
    } else if (element.dataset.live === 'replace') {
      document.getElementById(element.id)?.replaceWith(element);
    } else if (element.dataset.live === 'remove') {
      document.getElementById(element.id)?.remove();
    } else if (element.dataset.live === 'place') {
      placeInOrder(element);
    } else {
      onOther(element);
    }
  }
}

function placeInOrder(element) {
  const list = document.getElementById(element.dataset.into);
  const old = document.getElementById(element.id);
  if (!list) return;
  const hadFocus = old?.contains(document.activeElement);
  if (old?.parentElement === list && old.dataset.sort === element.dataset.sort) {
    old.replaceWith(element);
  } else {
    old?.remove();
    const order = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });
    const next = [...list.children].find((row) => order.compare(row.dataset.sort, element.dataset.sort) > 0);
    list.insertBefore(element, next ?? null);
  }
  if (hadFocus) element.querySelector('a')?.focus();
}
