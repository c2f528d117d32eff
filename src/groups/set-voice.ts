import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import { spokenLanguage } from '../engines/speech/languages.ts';
import { refuseOutdated, seenField } from '../operations/seen.ts';
import type { OpenGroup } from './access.ts';
import { groupSettingsChanged } from './events.ts';
import { refuseSettings } from './policies.ts';
import type { GroupStore } from './store.ts';

export const voiceForm = z.object({
  corrections: z.enum(
    ['author', 'members'],
    'Choose whether the author or every member corrects transcripts.',
  ),
  spokenLanguage,
  ...seenField,
});

/**
 * Chooses who may correct transcripts, and what is spoken in voice messages.
 * @throws ChatError 403 for anybody but its creator and administrators
 */
export async function setVoice(
  { groups, publish }: { groups: GroupStore; publish: Publish },
  open: OpenGroup,
  { seen, ...voice }: z.infer<typeof voiceForm>,
): Promise<void> {
  const refusal = refuseSettings(open);
  if (refusal) throw refusal;
  refuseOutdated(seen, open.group.corrections, open.group.spokenLanguage);
  await groups.change(open.group.id, voice);
  publish(groupSettingsChanged, { groupId: open.group.id });
}
