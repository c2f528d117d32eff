import type { Subscribe } from '../bus/bus.ts';
import type { Views } from '../http/views.ts';
import { type Hub, personalTopic } from '../live/hub.ts';
import { joinRequestsChanged } from './events.ts';
import type { JoinRequestStore } from './join-request-store.ts';
import type { GroupStore } from './store.ts';

/** More are not counted. */
export const MAX_REQUESTS = 100;

type Dependencies = {
  hub: Hub;
  views: Views;
  groups: GroupStore;
  joinRequests: JoinRequestStore;
  subscribe: Subscribe;
};

/** Open conversations of a group's owners show how many people ask to join. */
export function showRequests({ hub, views, groups, joinRequests, subscribe }: Dependencies): void {
  subscribe(joinRequestsChanged, async ({ groupId }) => {
    const topics = (await groups.owners(groupId))
      .map(personalTopic)
      .filter((topic) => hub.hasSubscribers(topic));
    if (topics.length === 0) return;
    const requests = (await joinRequests.of(groupId, MAX_REQUESTS)).length;
    const html = views.render('groups/_requests.njk', { group: { id: groupId }, requests }).trim();
    for (const topic of topics)
      hub.publish(topic, ({ protocol }) => (protocol === 'html' ? html : undefined));
  });
}
