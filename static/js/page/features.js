// Which features this browser gives to this connection, and why not the others.
import { find, findAll, findOptional } from './dom.js';

const NOT_ENCRYPTED = 'Not here: this connection is not encrypted. Open the https:// address.';
const NOT_TRUSTED = 'Not here: this browser does not trust the certificate. Make this device trust Hearth.';
const MISSING = 'This browser does not have it.';

/** @type {Readonly<Record<string, () => boolean>>} */
const HAS = {
  voice: () => navigator.mediaDevices !== undefined && 'MediaRecorder' in window,
  push: () => 'PushManager' in window,
  install: () => 'serviceWorker' in navigator,
  share: () => typeof navigator.share === 'function',
  clipboard: () => navigator.clipboard !== undefined,
};

export async function startFeatures() {
  const list = findOptional(document, '[data-features]');
  if (!list) return;
  const isTrusted = await workerIsAllowed();
  for (const row of findAll(list, '[data-feature]')) {
    const reason = reasonAgainst(row.dataset.feature ?? '', row.dataset.needs === 'worker', isTrusted);
    find(row, '[data-reason]').textContent = reason || 'Works.';
    find(row, '[data-works]').textContent = reason ? '✕' : '✓';
    row.classList.toggle('is-missing', reason !== '');
  }
}

/**
 * @param {string} feature
 * @param {boolean} needsWorker
 * @param {boolean} isTrusted
 * @returns {string} empty where it works
 */
function reasonAgainst(feature, needsWorker, isTrusted) {
  if (!isSecureContext) return NOT_ENCRYPTED;
  if (needsWorker && 'serviceWorker' in navigator && !isTrusted) return NOT_TRUSTED;
  return HAS[feature]?.() ? '' : MISSING;
}

/** A page whose certificate is not trusted is a secure context all the same; only service workers tell. */
async function workerIsAllowed() {
  if (!('serviceWorker' in navigator)) return false;
  try {
    await navigator.serviceWorker.register('/service-worker.js');
    return true;
  } catch {
    return false;
  }
}
