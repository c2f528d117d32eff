import type { z } from 'zod';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Group, Membership } from '../groups/group.ts';
import { notificationLevelOf } from '../groups/group.ts';
import { type GroupPresenter, isMentionUnread, unreadOf } from '../groups/present.ts';
import type { Message } from '../messages/message.ts';
import type { MessagePresenter } from '../messages/present.ts';
import type { groupShape, messageShape } from './shapes.ts';

export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

export function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : timeOf(ms);
}

export function personOf({ id, username, name }: Account) {
  return { id, username, name };
}

export async function personOrNull(accounts: AccountStore, id: number) {
  const account = await accounts.byId(id);
  return account ? personOf(account) : null;
}

export function profileOf(account: Account) {
  const { line, isAdmin, isGuest, isBot } = account;
  return { ...personOf(account), line, isAdmin, isGuest, isBot };
}

/** A group as an account sees it. */
export async function groupOf(
  presenter: GroupPresenter,
  group: Group,
  membership: Membership | undefined,
  accountId: number,
): Promise<z.input<typeof groupShape>> {
  const { id, kind, topic, access, posting, slowSeconds, lastSeq, lastChange } = group;
  return {
    ...{
      id,
      kind,
      name: (await presenter.named(group, accountId)).name,
      topic,
      access,
      posting,
      slowSeconds,
    },
    isArchived: group.archivedAt !== null,
    isMember: membership !== undefined,
    isOwner: membership?.isOwner ?? false,
    notificationLevel: membership ? notificationLevelOf(group, membership) : null,
    unread: membership ? unreadOf(group, membership) : 0,
    isMentioned: membership ? isMentionUnread(membership) : false,
    readSeq: membership?.readSeq ?? 0,
    // Who is no member learns nothing of what is written.
    lastSeq: membership ? lastSeq : 0,
    lastChange: membership ? lastChange : 0,
  };
}

/** Where a program reads a file: its token is taken below /api/v1 only. */
export function fileUrl(id: string): string {
  return `/api/v1/files/${id}`;
}

export function messagesOf(
  presenter: MessagePresenter,
  messages: readonly Message[],
): Promise<z.input<typeof messageShape>[]> {
  return Promise.all(
    messages.map(async (message) => {
      // The cast is safe: this is the shape of `messages/json.ts`; the tests validate every answer.
      const shown = JSON.parse(await presenter.json(message)) as z.input<typeof messageShape>;
      return { ...shown, files: shown.files.map((file) => ({ ...file, url: fileUrl(file.id) })) };
    }),
  );
}
