// What is pushed is the same for everyone; here it is marked for the one who reads it.

/** @param {ParentNode} root a page or a fragment */
export function markMine(root, accountId) {
  for (const pill of root.querySelectorAll('.reaction')) {
    const isMine = pill.dataset.accountIds.split(' ').includes(accountId);
    pill.classList.toggle('is-mine', isMine);
    pill.setAttribute('aria-pressed', String(isMine));
  }
  // Only its author corrects a transcript, unless the group lets every member.
  const isForAll = document.querySelector('[data-corrections="members"]') !== null;
  for (const link of root.querySelectorAll('[data-correct]'))
    link.hidden = !isForAll && link.closest('.message').dataset.authorId !== accountId;
  for (const mention of root.querySelectorAll('.mention')) {
    const isMine = mention.dataset.mention === accountId || mention.dataset.mention === 'all';
    mention.classList.toggle('is-mine', isMine);
    if (isMine) mention.closest('.message')?.classList.add('calls-me');
  }
}
