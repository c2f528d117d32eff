import { findAll } from './dom.js';
import { listen } from './events.js';

/** Shows the new name of somebody who changed it, or has left, wherever the page names them. */
export function followNames() {
  listen('renamed', ({ accountId, username, name }) => {
    const byId = `[data-author-id="${accountId}"]`;
    // Whoever has left has no username and no page.
    if (username === undefined)
      for (const link of findAll(document, `${byId} > .message-text > .byline > a.author`))
        link.replaceWith(Object.assign(document.createElement('span'), { className: 'author' }));
    const names = `${byId} > .message-text > .byline > .author, [data-name-of="${accountId}"]`;
    for (const element of findAll(document, names)) element.textContent = name;
    for (const link of findAll(document, `[data-account-id="${accountId}"] > .person-name`))
      link.firstChild?.replaceWith(name);
    for (const more of findAll(document, `${byId} > .more`)) {
      const about = `More about the message of ${name}`;
      more.ariaLabel = (more.ariaLabel ?? '').replace(more.dataset.more ?? '', () => about);
      more.dataset.more = about;
    }
    if (username !== undefined)
      for (const mention of findAll(document, `.mention[data-mention="${accountId}"]`))
        mention.textContent = `@${username}`;
    const [initial = ''] = [...name];
    for (const avatar of findAll(document, `${byId} > .avatar, [data-account-id="${accountId}"] > .avatar`))
      if (!avatar.querySelector('img')) avatar.textContent = initial.toLocaleUpperCase();
  });
}
