// Voice messages that were recorded without a network go out from any page, as what is written does.
import { find, parseHtml } from '../page/dom.js';
import { ownHeaders } from '../page/request.js';
import { tabStorage } from '../page/storage.js';
import { deleteRecording, inTurn, isKept, keptRecordings } from './kept-recordings.js';

/**
 * @param {import('../outbox/outbox.js').Outbox} outbox
 * @param {string} accountId
 * @param {string | undefined} ownPlace the conversation or thread of this page, whose composer sends its own
 */
export function sendUnsentRecordings(outbox, accountId, ownPlace) {
  const send = async () => {
    for (const recording of await keptRecordings(accountId))
      if (recording.way === 'message' && recording.place !== ownPlace)
        await inTurn(recording.id, () => sendOne(outbox, recording));
  };
  addEventListener('online', send);
  send();
}

/**
 * What cannot be sent stays for the page of its conversation, which says why.
 * @param {import('../outbox/outbox.js').Outbox} outbox
 * @param {import('./kept-recordings.js').KeptRecording} recording
 */
async function sendOne(outbox, { id, place, blob, replyTo }) {
  // What was refused is not uploaded with every page.
  if (tabStorage.get(`refused/${id}`) || !(await isKept(id))) return;
  const [groupId = '', thread] = place.split('/');
  const body = new FormData();
  body.append('files', new File([blob], 'recording', { type: blob.type }));
  const request = { method: 'POST', headers: ownHeaders(), body };
  const response = await fetch(`/groups/${groupId}/voice`, request).catch(() => undefined);
  if (response && isRefusal(response)) tabStorage.set(`refused/${id}`, 'yes');
  if (response?.status !== 201) return;
  const element = find(parseHtml(await response.text()), '.chosen');
  const name = find(element, '[data-name]').textContent ?? '';
  const file = { id: element.dataset.file ?? '', name, html: element.outerHTML };
  await outbox.add(groupId, '', { id, thread: thread || undefined, replyTo, files: [file] });
  await deleteRecording(id);
}

/** Not where a try later can succeed: after signing in again, after a pause, or where another page answered. @param {Response} response */
function isRefusal({ status }) {
  return status >= 400 && status < 500 && ![401, 408, 429].includes(status);
}
