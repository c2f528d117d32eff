import type { Subscribe } from '../bus/bus.ts';
import { groupTopic } from '../groups/live.ts';
import type { Views } from '../http/views.ts';
import type { Hub } from '../live/hub.ts';
import { pinsChanged } from './events.ts';
import type { MessageStore } from './store.ts';

type Dependencies = { hub: Hub; views: Views; messages: MessageStore; subscribe: Subscribe };

/** Open pages of a group show how many messages are pinned. */
export function showPins({ hub, views, messages, subscribe }: Dependencies): void {
  subscribe(pinsChanged, async ({ groupId }) => {
    const topic = groupTopic(groupId);
    if (!hub.hasSubscribers(topic)) return;
    const pins = await messages.countPinned(groupId);
    const html = views.render('messages/_pins.njk', { group: { id: groupId }, pins }).trim();
    hub.publish(topic, ({ protocol }) => (protocol === 'html' ? html : undefined));
  });
}
