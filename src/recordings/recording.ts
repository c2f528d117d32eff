/** The metadata of a voice message. */
export type Voice = Readonly<{
  /** In seconds. */
  length: number;
  /** How loud it is over its length: numbers from 0 to 100, the same many for every recording. */
  peaks: readonly number[];
  /**
   * State of the transcript: `waiting` to be made; `draft`, made by a speech engine; `unsure`, the same with low
   * certainty; `reviewed` by a person; `silent`, no speech; `unrecognised`, most likely in another language than the
   * engine's; `failed`; `none`, without a speech engine or not wanted.
   */
  transcript: 'waiting' | 'draft' | 'unsure' | 'reviewed' | 'silent' | 'unrecognised' | 'failed' | 'none';
  /** The spoken language, if somebody chose one: a code such as `fr`, or `none` if no transcript is wanted. */
  language?: string;
  /** What the machine heard and when it begins, in seconds. */
  words: readonly (readonly [text: string, start: number])[];
  /** Whether the author typed the text, not reviewed a transcript; only the author may change it then. */
  isTyped?: boolean;
  /** The account that reviewed the text, where it was not the author. */
  reviewerId?: number;
}>;

/** What the machine heard, as a text. */
export function transcriptText({ words }: Voice): string {
  return words.map(([text]) => text).join(' ');
}

/** Whether the transcript is a speech engine's, not reviewed by a person. */
export function isFromMachine({ transcript }: Voice): boolean {
  return transcript === 'draft' || transcript === 'unsure';
}

/** The voice message among these files, if there is one. */
export function spokenIn<File extends { voice?: Voice }>(
  files: readonly File[],
): (File & { voice: Voice }) | undefined {
  return files.find((file): file is File & { voice: Voice } => file.voice !== undefined);
}
