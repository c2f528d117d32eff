import { findAll } from './dom.js';
import { listen } from './events.js';

/** Shows the new name of somebody who changed it, wherever the page names them. */
export function followNames() {
  listen('renamed', ({ accountId, username, name }) => {
    const byId = `[data-author-id="${accountId}"]`;
    const names = `${byId} > .message-text > .byline > .author, [data-name-of="${accountId}"]`;
    for (const element of findAll(document, names)) element.textContent = name;
    for (const link of findAll(document, `[data-account-id="${accountId}"] > .person-name`))
      link.firstChild?.replaceWith(name);
    for (const mention of findAll(document, `.mention[data-mention="${accountId}"]`))
      mention.textContent = `@${username}`;
    const [initial = ''] = [...name];
    for (const avatar of findAll(document, `${byId} > .avatar, [data-account-id="${accountId}"] > .avatar`))
      if (!avatar.querySelector('img')) avatar.textContent = initial.toLocaleUpperCase();
  });
}
