/** Switches light and dark at once; the form's own request remembers it. */
export function startTheme() {
  document.addEventListener('submit', (event) => {
    const form = event.target.closest('[data-theme-form]');
    if (!form || !event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    document.documentElement.dataset.theme = theme;
    for (const button of form.querySelectorAll('button')) {
      button.setAttribute('aria-pressed', String(button.value === theme));
    }
    fetch(form.action, {
      method: 'POST',
      body: new URLSearchParams({ theme, back: '/' }),
      redirect: 'manual',
    });
  });
}
