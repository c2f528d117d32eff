import { find } from '../page/dom.js';

/**
 * Files that are chosen, dropped or pasted.
 * @param {HTMLFormElement} form
 * @param {(files: File[]) => void} add
 * @param {(sentence: string) => void} say
 */
export function startFileSources(form, add, say) {
  const input = find(form, 'input[type="file"]', HTMLInputElement);
  // Empty the field: a submission by the browser would upload the files a second time.
  input.addEventListener('change', () => {
    add([...(input.files ?? [])]);
    input.value = '';
  });
  startPasting(form, add);
  const pane = form.closest('main');
  if (pane) startDropping(pane, add, say);
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
 * @param {(sentence: string) => void} say
 */
function startDropping(pane, add, say) {
  for (const name of /** @type {const} */ (['dragenter', 'dragover', 'dragleave', 'drop']))
    pane.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      const { relatedTarget } = event;
      const isInside = relatedTarget instanceof Node && pane.contains(relatedTarget);
      pane.classList.toggle('is-dropping', name !== 'drop' && (name !== 'dragleave' || isInside));
      if (name !== 'drop') return;
      const items = [...event.dataTransfer.items].filter(({ kind }) => kind === 'file');
      const isFolder = (/** @type {DataTransferItem} */ item) =>
        item.webkitGetAsEntry()?.isDirectory === true;
      const files = items.filter((item) => !isFolder(item)).map((item) => item.getAsFile());
      add(files.filter((file) => file !== null));
      if (items.some(isFolder)) say('A folder cannot be sent. Choose the files in it.');
    });
}
