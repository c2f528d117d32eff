// The field in which messages are written. Without this, the form posts.

const TYPING_EVERY_MS = 3_000;
/** The counter appears when this many characters are left. */
const NEAR_LIMIT = 500;

export function startComposer(form, outbox, live) {
  const groupId = form.dataset.composer;
  const field = form.querySelector('textarea');
  const error = form.querySelector('[data-composer-error]');
  const counter = form.querySelector('[data-counter]');
  const limit = Number(field.dataset.limit);
  const draftKey = `draft/${document.body.dataset.accountId}/${groupId}`;
  const hasTouch = matchMedia('(pointer: coarse)').matches;
  let lastTyping = 0;

  if (!field.value) field.value = sessionStorage.getItem(draftKey) ?? '';
  changed();
  if (!hasTouch) field.focus();

  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    const sends = event.ctrlKey || event.metaKey || (!event.shiftKey && !event.altKey && !hasTouch);
    if (!sends) return;
    event.preventDefault();
    form.requestSubmit();
  });

  field.addEventListener('input', () => {
    changed();
    error.textContent = '';
    field.removeAttribute('aria-invalid');
    if (field.value.trim() === '' || Date.now() - lastTyping < TYPING_EVERY_MS) return;
    lastTyping = Date.now();
    live.typing();
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const content = field.value;
    if (content.trim() === '') return field.focus();
    if ([...content].length > limit) {
      error.textContent = `A message has at most ${limit.toLocaleString()} characters. Shorten it, or send it in two.`;
      field.setAttribute('aria-invalid', 'true');
      return field.focus();
    }
    field.value = '';
    lastTyping = 0;
    changed();
    outbox.add(groupId, content);
    field.focus();
  });

  addEventListener('hearth:put-back', ({ detail }) => {
    field.value = field.value ? `${detail}\n${field.value}` : detail;
    changed();
    field.focus();
  });

  function changed() {
    grow();
    count();
    if (field.value) sessionStorage.setItem(draftKey, field.value);
    else sessionStorage.removeItem(draftKey);
  }

  // Browsers that know field-sizing do this by themselves.
  function grow() {
    if (CSS.supports('field-sizing', 'content')) return;
    field.style.blockSize = 'auto';
    field.style.blockSize = `${field.scrollHeight}px`;
  }

  function count() {
    const left = field.value.length > limit - NEAR_LIMIT ? limit - [...field.value].length : limit;
    counter.hidden = left > NEAR_LIMIT;
    counter.classList.toggle('is-over', left < 0);
    counter.textContent = left < 0 ? `${-left} too many` : `${left} left`;
  }
}
