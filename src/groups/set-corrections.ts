import { z } from 'zod';
import { forbidden } from '../errors.ts';
import { mayRename, type OpenGroup } from './access.ts';
import type { GroupStore } from './store.ts';

export const correctionsForm = z.object({
  corrections: z.enum(
    ['author', 'members'],
    'Choose whether the author or every member corrects transcripts.',
  ),
});

/** Chooses who may correct what a machine wrote down. @throws ChatError 403 for anybody but its creator and administrators */
export async function setCorrections(
  groups: GroupStore,
  open: OpenGroup,
  { corrections }: z.infer<typeof correctionsForm>,
): Promise<void> {
  if (!mayRename(open))
    throw forbidden('Only whoever made this group, or an administrator, can choose that.');
  await groups.setCorrections(open.group.id, corrections);
}
