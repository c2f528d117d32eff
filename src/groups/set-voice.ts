import { z } from 'zod';
import { spokenLanguage } from '../engines/speech/languages.ts';
import { forbidden } from '../errors.ts';
import { mayRename, type OpenGroup } from './access.ts';
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
  if (!mayRename(open))
    throw forbidden('Only whoever made this group, or an administrator, can choose that.');
  await groups.setVoice(open.group.id, voice);
}
