/** The metadata of a voice message. */
export type Voice = Readonly<{
  /** In seconds. */
  length: number;
  /** How loud it is over its length: numbers from 0 to 100, the same many for every recording. */
  peaks: readonly number[];
  /**
   * Where its text is: being made, made by a machine (`draft`), made by a machine that is not sure of it (`unsure`),
   * looked over by a person, absent because nobody speaks (`silent`), because it is most likely another language than
   * the engine's (`unrecognised`), because it could not be made (`failed`), or because no engine is there to make it
   * or none is wanted (`none`).
   */
  transcript: 'waiting' | 'draft' | 'unsure' | 'reviewed' | 'silent' | 'unrecognised' | 'failed' | 'none';
  /** What is spoken, where somebody said so: a code such as `fr`, or `none` where no text is wanted. */
  language?: string;
  /** What the machine heard and when it begins, in seconds. */
  words: readonly (readonly [text: string, start: number])[];
  /** Whether its author typed the text, rather than looked it over: that is theirs alone to change. */
  isTyped?: boolean;
  /** The account that reviewed the text, where it was not the author. */
  reviewerId?: number;
}>;

/** What the machine heard, as a text. */
export function transcriptText({ words }: Voice): string {
  return words.map(([text]) => text).join(' ');
}

/** Whether its text is as a machine wrote it. */
export function isFromMachine({ transcript }: Voice): boolean {
  return transcript === 'draft' || transcript === 'unsure';
}

/** The voice message among these files, if there is one. */
export function spokenIn<File extends { voice?: Voice }>(
  files: readonly File[],
): (File & { voice: Voice }) | undefined {
  return files.find((file): file is File & { voice: Voice } => file.voice !== undefined);
}
