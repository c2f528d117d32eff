// A picture as large as the screen takes it; arrows go to the others of the conversation.

export function startLightbox(section) {
  const dialog = document.getElementById('lightbox');
  const image = new Image();
  const pictures = () => [...section.querySelectorAll('[data-lightbox]')];
  let current;

  section.addEventListener('click', (event) => {
    const link = event.target.closest('[data-lightbox]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link);
    dialog.showModal();
    dialog.querySelector('[data-close]').focus();
  });
  dialog.addEventListener('click', (event) => {
    const step = Number(event.target.dataset.step);
    if (step) go(step);
    else if (!event.target.closest('a')) dialog.close();
  });
  dialog.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowRight') go(1);
    if (event.key === 'ArrowLeft') go(-1);
  });
  dialog.addEventListener('close', () => {
    image.removeAttribute('src');
    image.remove();
    current?.focus();
  });

  function go(step) {
    const all = pictures();
    const next = all[all.indexOf(current) + step];
    if (next) show(next);
  }

  function show(link) {
    current = link;
    dialog.prepend(image);
    image.src = link.href;
    image.alt = link.dataset.name;
    dialog.querySelector('[data-name]').textContent = link.dataset.name;
    dialog.querySelector('[data-original]').href = link.href;
    dialog.querySelector('[data-download]').href = `${link.href}?download=`;
    const all = pictures();
    dialog.querySelector('[data-step="-1"]').hidden = all[0] === link;
    dialog.querySelector('[data-step="1"]').hidden = all.at(-1) === link;
  }
}
