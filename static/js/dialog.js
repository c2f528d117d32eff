// The one dialog of a page: a sheet of acts, or a question. A sheet at the foot of a phone, a card on a desk.

/** Shows rendered HTML. Closes with Escape, with a press beside it, and with `close`. */
export function showSheet(html) {
  const dialog = document.getElementById('sheet');
  dialog.innerHTML = html;
  if (!dialog.open) dialog.showModal();
  // Its result is nothing: a handler that gives back false would keep forms from being sent.
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  return dialog;
}

/** Asks; resolves to whether the answer was yes. */
export function ask(sentence, yes) {
  const dialog = showSheet('<form method="dialog" class="question"><p></p><p class="answers"></p></form>');
  dialog.querySelector('p').textContent = sentence;
  const button = (text, value, className) =>
    Object.assign(document.createElement('button'), { textContent: text, value, className });
  dialog
    .querySelector('.answers')
    .append(button('Cancel', 'no', 'button quiet'), button(yes, 'yes', 'button'));
  dialog.returnValue = 'no';
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/** Sends a form's act. Resolves to the sentence of a refusal, or to nothing. */
export async function act(address, fields) {
  try {
    const response = await fetch(address, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { 'HX-Request': 'true' },
    });
    if (response.ok) return undefined;
    const template = document.createElement('template');
    template.innerHTML = await response.text();
    return template.content.textContent.trim() || 'That could not be done. Try again in a moment.';
  } catch {
    return 'There is no connection. Try again when it is back.';
  }
}
