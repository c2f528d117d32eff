import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FOLDER } from './settings.ts';

const waiting = z.object({
  id: z.guid(),
  groupId: z.number(),
  content: z.string(),
  replyTo: z.number().optional(),
  files: z.array(z.string()).optional(),
});

/** What was written and is not yet sent. */
export type Waiting = z.infer<typeof waiting>;

const kept = waiting.extend({
  /** Where it is sent, and by whom. */
  address: z.string(),
  accountId: z.number(),
  writtenAt: z.number(),
});

/**
 * What one account wrote to one server and is not yet sent, also after the client was left. Each message is a file of its
 * own, so that two clients at once keep theirs side by side.
 */
export class Outbox {
  readonly #address: string;
  readonly #accountId: number;
  readonly #folder = join(FOLDER, 'outbox');

  constructor(address: string, accountId: number) {
    this.#address = address;
    this.#accountId = accountId;
  }

  /** In the order in which it was written. */
  read(): Waiting[] {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    return readdirSync(this.#folder)
      .flatMap((name) => this.#own(name))
      .sort((one, other) => one.writtenAt - other.writtenAt)
      .map((message) => waiting.parse(message));
  }

  add(message: Waiting, writtenAt = Date.now()): void {
    const text = JSON.stringify({
      ...message,
      ...{ address: this.#address, accountId: this.#accountId, writtenAt },
    });
    const file = this.#fileOf(message.id);
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  remove(id: string): void {
    rmSync(this.#fileOf(id), { force: true });
  }

  #fileOf(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  /** The message of a file, where it is one of this account; none where another client has just sent it. */
  #own(name: string): z.infer<typeof kept>[] {
    if (!name.endsWith('.json')) return [];
    try {
      const message = kept.parse(JSON.parse(readFileSync(join(this.#folder, name), 'utf8')));
      return message.address === this.#address && message.accountId === this.#accountId ? [message] : [];
    } catch {
      return [];
    }
  }
}
