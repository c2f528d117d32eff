import type { ImportedMessage, ImportedPerson, Named, Outline } from './source.ts';

/** Counts the messages of an archive by conversation and person, for its outline. */
export class Tally {
  readonly conversations = new Map<string, number>();
  readonly people = new Map<string, number>();
  #first = Number.POSITIVE_INFINITY;
  #last = 0;

  add({ conversation, author, at }: Pick<ImportedMessage, 'conversation' | 'author' | 'at'>): void {
    this.conversations.set(conversation, (this.conversations.get(conversation) ?? 0) + 1);
    this.people.set(author, (this.people.get(author) ?? 0) + 1);
    this.#first = Math.min(this.#first, at);
    this.#last = Math.max(this.#last, at);
  }

  /** @param conversations their names, also of those without messages; one that has none is called as in the archive */
  outline(
    kind: Outline['kind'],
    conversations: ReadonlyMap<string, string>,
    personOf: (key: string) => Omit<ImportedPerson, 'key' | 'messages'>,
    notices = 0,
  ): Outline {
    return {
      kind,
      conversations: [...new Set([...conversations.keys(), ...this.conversations.keys()])].map(
        (key): Named => ({
          key,
          name: conversations.get(key) ?? key,
          messages: this.conversations.get(key) ?? 0,
        }),
      ),
      people: [...this.people].map(([key, messages]) => ({ key, messages, ...personOf(key) })),
      first: this.#last === 0 ? 0 : this.#first,
      last: this.#last,
      notices,
      isAmbiguous: false,
    };
  }
}
