import { find, findAll } from '../page/dom.js';

/**
 * Names the lines about the field that are shown now (what is answered or edited, what is wrong) as its description.
 * @param {HTMLElement} form
 */
export function describeField(form) {
  const shown = findAll(form, '[data-describes]').filter(
    (line) => !line.closest('[hidden]') && line.textContent?.trim(),
  );
  find(form, 'textarea').setAttribute('aria-describedby', shown.map(({ id }) => id).join(' '));
}
