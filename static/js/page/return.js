const ASK_EVERY_MS = 3_000;

/** On the offline page: polls the server, and reloads the requested page once it answers. */
export function startReturn() {
  if (!document.querySelector('[data-return]')) return;
  const ask = async () => {
    const isBack = await fetch('/healthz', { cache: 'no-store' }).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isBack) location.reload();
  };
  setInterval(ask, ASK_EVERY_MS);
  addEventListener('online', ask);
}
