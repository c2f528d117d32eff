import { Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import { notFound } from '../errors.ts';
import { openGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import { etagOf, hasCurrent } from '../http/conditional.ts';
import { numberInPath } from '../http/request.ts';
import type { MessageStore } from '../messages/store.ts';
import type { LinkImageStore } from './store.ts';

/** The pictures of previews, for members of the group. */
export function previewRoutes({
  groups,
  messages,
  linkImages,
}: {
  groups: GroupStore;
  messages: MessageStore;
  linkImages: LinkImageStore;
}): Router {
  return Router().get('/groups/:id/messages/:seq/link-image', async (request, response) => {
    const { group } = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
    const seq = numberInPath(request, 'seq');
    // An edit may have taken the link away.
    const message = await messages.bySeq(group.id, seq);
    const image = message?.preview?.image ? await linkImages.of(group.id, seq) : undefined;
    if (!image) throw notFound('This message has no preview with a picture.');
    const etag = etagOf(image);
    // Asked for each time: the next person at this browser may not see it.
    response.set({ 'Content-Type': 'image/webp', 'Cache-Control': 'private, no-cache', ETag: etag });
    if (hasCurrent(request, etag)) return void response.status(304).end();
    response.send(image);
  });
}
