const ASK_EVERY_MS = 3_000;

/** On the page that stands in while there is no network: loads the one that was asked for as soon as it can be had. */
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
