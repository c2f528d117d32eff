import type { Request } from 'express';
import { requireAdmin } from '../accounts/access.ts';
import { type HealthDependencies, spaceOf } from '../admin/health.ts';
import type { ChatError } from '../errors.ts';
import { inWords } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import type { Group } from '../groups/group.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Html } from '../http/views.ts';
import { seenOf } from '../operations/seen.ts';
import { heldSince, type SiteSettingsStore } from '../site-settings/store.ts';
import { countOlder } from './purge.ts';
import type { RetentionStore } from './store.ts';

export type SpacePageDependencies = Pick<HealthDependencies, 'config' | 'blobs'> & {
  page: SidebarPage;
  groups: GroupStore;
  files: FileStore;
  siteSettings: SiteSettingsStore;
  retention: RetentionStore;
  renewBackups: (() => Promise<void>) | undefined;
};

/**
 * What takes space, how long it is kept, and what is on hold; the groups with the largest files first.
 * @param refused the form that was refused; 0 is the one for all groups
 */
export async function spacePage(
  { page, groups, files, siteSettings, retention, renewBackups, ...dependencies }: SpacePageDependencies,
  request: Request,
  refused?: { groupId: number; error: ChatError },
): Promise<Html> {
  requireAdmin(request);
  const settings = await siteSettings.read();
  const overall = heldSince(settings);
  const bytes = await files.bytesByGroup();
  const all = await groups.everyKind();
  const ofGroup = (group: Group) => bytes.get(group.id) ?? 0;
  const rows = [...(await groups.all())].sort(
    (a, b) => ofGroup(b) - ofGroup(a) || b.lastSeq - b.purgedSeq - (a.lastSeq - a.purgedSeq) || a.id - b.id,
  );
  // What was typed into a form that was refused.
  const typed = (name: string) => String(request.body?.[name] ?? '').slice(0, 20);
  const shown = (value: string | number | null | undefined, name: string, isRefused: boolean) =>
    isRefused ? typed(name) : value === null || value === undefined ? '' : String(value);
  const refusedId = refused?.groupId;
  const typedId = refused?.error.code === 'outdated' ? undefined : refusedId;
  return page(request, 'retention/space.njk', {
    space: [
      ...(await spaceOf(dependencies)),
      { name: 'Files', value: inWords(await files.bytes()), isBad: false },
    ],
    keepDays: shown(settings.keepDays === '0' ? '' : settings.keepDays, 'keepDays', typedId === 0),
    keepMegabytes: shown(
      settings.keepMegabytes === '0' ? '' : settings.keepMegabytes,
      'keepMegabytes',
      typedId === 0,
    ),
    seen: seenOf(settings.keepDays, settings.keepMegabytes),
    allOnHold: overall > 0,
    held: all.filter(({ heldAt }) => heldAt !== null).length,
    rows: rows.map((group) => ({
      group,
      messages: group.lastSeq - group.purgedSeq,
      stored: inWords(ofGroup(group)),
      rule: ruleInWords(group),
      isHeldAlone: group.heldAt !== null && group.heldAt !== overall,
      keepDays: shown(group.keepDays, 'keepDays', typedId === group.id),
      keepMegabytes: shown(group.keepMegabytes, 'keepMegabytes', typedId === group.id),
      seen: seenOf(group.keepDays, group.keepMegabytes),
    })),
    older: await countOlder(retention, all, settings),
    hasBackups: renewBackups !== undefined,
    refusedId: refusedId ?? null,
    isSaved: request.query.saved !== undefined,
    isPurging: request.query.purging !== undefined,
    error: refused?.error ?? null,
  });
}

function ruleInWords({ keepDays, keepMegabytes }: Group): string {
  const parts = [
    ...(keepDays === null ? [] : [keepDays === 0 ? 'messages for ever' : `messages for ${keepDays} days`]),
    ...(keepMegabytes === null
      ? []
      : [keepMegabytes === 0 ? 'files without limit' : `files up to ${keepMegabytes} MB`]),
  ];
  return parts.length === 0 ? 'as for all groups' : parts.join(', ');
}
