import { closest, findAll } from './dom.js';

/** Switches light and dark at once; the form's own request remembers it. */
export function startTheme() {
  document.addEventListener('submit', (event) => {
    const form = closest(event.target, '[data-theme-form]', HTMLFormElement);
    if (!form || !(event.submitter instanceof HTMLButtonElement)) return;
    event.preventDefault();
    const theme = event.submitter.value;
    document.documentElement.dataset.theme = theme;
    for (const button of findAll(form, 'button', HTMLButtonElement))
      button.setAttribute('aria-pressed', String(button.value === theme));
    const body = new URLSearchParams({ theme, back: '/' });
    fetch(form.action, { method: 'POST', body, redirect: 'manual' });
  });
}
