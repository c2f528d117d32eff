/** One line of the doctor: `note` is worth knowing, `BAD` needs somebody, and its text says what to do. */
export type Finding = Readonly<{ state: 'ok' | 'note' | 'BAD'; text: string }>;
export const ok = (text: string): Finding => ({ state: 'ok', text });
export const note = (text: string): Finding => ({ state: 'note', text });
export const bad = (text: string): Finding => ({ state: 'BAD', text });
export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
