/**
 * Copies a text to the clipboard. Over plain HTTP browsers only have execCommand.
 * @param {string} text
 * @param {HTMLElement} container what is open: a field outside of a dialog cannot be selected
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copy(text, container) {
  if (navigator.clipboard)
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  const field = Object.assign(document.createElement('textarea'), { value: text });
  const focused = document.activeElement;
  container.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}
