// What is pushed is the same for everyone; here it is marked for the one who reads it.

/** @param {ParentNode} root a page or a fragment */
export function markMine(root, accountId) {
  for (const pill of root.querySelectorAll('.reaction')) {
    const isMine = pill.dataset.accountIds.split(' ').includes(accountId);
    pill.classList.toggle('is-mine', isMine);
    pill.setAttribute('aria-pressed', String(isMine));
  }
  for (const mention of root.querySelectorAll('.mention')) {
    const isMine = mention.dataset.mention === accountId || mention.dataset.mention === 'all';
    mention.classList.toggle('is-mine', isMine);
    if (isMine) mention.closest('.message')?.classList.add('calls-me');
  }
}
