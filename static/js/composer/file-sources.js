import { find } from '../page/dom.js';

/**
 * Files that are chosen, dropped or pasted.
 * @param {HTMLFormElement} form
 * @param {(files: File[]) => void} add
 */
export function startFileSources(form, add) {
  const input = find(form, 'input[type="file"]', HTMLInputElement);
  // Empty the field: a submission by the browser would upload the files a second time.
  input.addEventListener('change', () => {
    add([...(input.files ?? [])]);
    input.value = '';
  });
  startPasting(form, add);
  const pane = form.closest('main');
  if (pane) startDropping(pane, add);
}

/**
 * @param {HTMLFormElement} form
 * @param {(files: File[]) => void} add
 */
function startPasting(form, add) {
  const field = find(form, 'textarea');
  const offer = find(form, '[data-offer-pasted]');
  field.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    // Spreadsheets and word processors put a picture of the text beside the text: the text is what is meant.
    if (event.clipboardData?.getData('text/plain').trim()) {
      offer.hidden = false;
      offer.onclick = () => {
        offer.hidden = true;
        add(files);
        field.focus();
      };
      return;
    }
    event.preventDefault();
    add(files);
  });
}

/**
 * @param {HTMLElement} pane
 * @param {(files: File[]) => void} add
 */
function startDropping(pane, add) {
  for (const name of /** @type {const} */ (['dragenter', 'dragover', 'dragleave', 'drop']))
    pane.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      const { relatedTarget } = event;
      const isInside = relatedTarget instanceof Node && pane.contains(relatedTarget);
      pane.classList.toggle('is-dropping', name !== 'drop' && (name !== 'dragleave' || isInside));
      if (name === 'drop') add([...event.dataTransfer.files]);
    });
}
