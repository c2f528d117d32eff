import { ask } from './dialog.js';
import { keepFocus } from './kept-focus.js';
import { keepOthers } from './unsaved.js';

/** Asks before a form with `data-ask` is sent: what cannot be taken back is not done by one press. */
export function startQuestions() {
  document.addEventListener('submit', async (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.ask === undefined) return;
    event.preventDefault();
    // `submit` and not `requestSubmit`, which would ask again.
    if (!(await ask(form.dataset.ask, form.dataset.yes ?? 'Yes'))) return;
    keepOthers(form);
    keepFocus(form);
    form.submit();
  });
}
