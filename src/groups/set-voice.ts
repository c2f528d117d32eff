import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import { spokenLanguage } from '../engines/speech/languages.ts';
import { refuseOutdated, seenField } from '../operations/seen.ts';
import type { OpenGroup } from './access.ts';
import { groupSettingsChanged } from './events.ts';
import type { GroupStore } from './store.ts';

export const voiceForm = z.object({
  corrections: z.enum(
    ['author', 'members'],
    'Choose whether the author or every member corrects transcripts.',
  ),
  spokenLanguage,
  ...seenField,
});

/** Chooses who may correct transcripts, and what is spoken in voice messages. */
export async function setVoice(
  { groups, publish }: { groups: GroupStore; publish: Publish },
  { group }: OpenGroup,
  { seen, ...voice }: z.infer<typeof voiceForm>,
): Promise<void> {
  refuseOutdated(seen, group.corrections, group.spokenLanguage);
  await groups.change(group.id, voice);
  publish(groupSettingsChanged, { groupId: group.id });
}
