import { z } from 'zod';
import { spokenLanguage } from '../engines/speech/languages.ts';
import type { OpenGroup } from './access.ts';
import { refuseSettings } from './policies.ts';
import type { GroupStore } from './store.ts';

export const voiceForm = z.object({
  corrections: z.enum(
    ['author', 'members'],
    'Choose whether the author or every member corrects transcripts.',
  ),
  spokenLanguage,
});

/**
 * Chooses who may correct transcripts, and what is spoken in voice messages.
 * @throws ChatError 403 for anybody but its creator and administrators
 */
export async function setVoice(
  groups: GroupStore,
  open: OpenGroup,
  voice: z.infer<typeof voiceForm>,
): Promise<void> {
  const refusal = refuseSettings(open);
  if (refusal) throw refusal;
  await groups.setVoice(open.group.id, voice);
}
