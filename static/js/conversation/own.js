import { findAll } from '../page/dom.js';

/**
 * What is pushed is the same for everyone; here it is marked for the one who reads it.
 * @param {ParentNode} root a page or a fragment
 * @param {string} accountId who reads it
 */
export function markOwn(root, accountId) {
  for (const pill of findAll(root, '.reaction')) {
    const isOwn = hasReacted(pill, accountId);
    pill.classList.toggle('is-mine', isOwn);
    pill.setAttribute('aria-pressed', String(isOwn));
  }
  // Only its author corrects a transcript, unless the group lets every member.
  const isForAll = document.querySelector('[data-corrections="members"]') !== null;
  for (const link of findAll(root, '[data-correct]')) {
    const message = link.closest('.message');
    link.hidden = !isForAll && message instanceof HTMLElement && message.dataset.authorId !== accountId;
  }
  for (const mention of findAll(root, '.mention')) {
    const isOwn = mention.dataset.mention === accountId || mention.dataset.mention === 'all';
    mention.classList.toggle('is-mine', isOwn);
    if (isOwn) mention.closest('.message')?.classList.add('calls-me');
  }
}

/**
 * @param {HTMLElement} pill an emoji below a message, with who has reacted so
 * @param {string} accountId
 */
export function hasReacted(pill, accountId) {
  return (pill.dataset.accountIds ?? '').split(' ').includes(accountId);
}
