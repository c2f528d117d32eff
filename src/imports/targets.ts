import { accountChanged } from '../accounts/events.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { createGroup } from '../groups/create.ts';
import type { Group } from '../groups/group.ts';
import type { GroupStore } from '../groups/store.ts';
import { makePerson } from './people.ts';
import type { ChatImport, ImportDetails, ImportStore } from './store.ts';

type Dependencies = { accounts: AccountStore; groups: GroupStore; imports: ImportStore; publish: Publish };

/**
 * The accounts of the people of an archive. Those who have none get one once a message of theirs is brought in, noted
 * before the next.
 */
export class ImportedPeople {
  readonly #dependencies: Dependencies;
  readonly #wanted: ChatImport;
  readonly #found = new Map<string, Promise<Account>>();
  #details: ImportDetails;
  /** One after another, so that what is noted of one does not undo what is noted of another. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param details as they are by now */
  constructor(dependencies: Dependencies, wanted: ChatImport, details: ImportDetails) {
    this.#dependencies = dependencies;
    this.#wanted = wanted;
    this.#details = details;
  }

  /** @param key of a person in the archive */
  of(key: string): Promise<Account> {
    const found = this.#found.get(key) ?? this.#last.then(() => this.#resolve(key));
    this.#found.set(key, found);
    this.#last = found.catch(() => {});
    return found;
  }

  async #resolve(key: string): Promise<Account> {
    const { accounts, imports, publish } = this.#dependencies;
    const { people, outline } = this.#details;
    const person = outline.people.find((other) => other.key === key);
    if (!person) throw new Error('An archive changed while it was read.');
    const { id, name } = (Object.hasOwn(people, key) && people[key]) || { id: undefined, name: '' };
    const named = id === undefined ? await accounts.byName(name) : await accounts.byId(id);
    if (named) return named;
    const made = await makePerson(accounts, person, Date.now());
    publish(accountChanged, { accountId: made.id });
    const target = { name: made.username, id: made.id, isMade: true } as const;
    this.#details = { ...this.#details, people: { ...people, [key]: target } };
    await imports.change(this.#wanted, { details: this.#details });
    return made;
  }
}

/** The group of each conversation that is brought in, made where there is none. */
export async function resolveGroups(
  { groups, imports, publish }: Dependencies,
  wanted: ChatImport,
  owner: Account,
): Promise<Map<string, Group>> {
  const found = new Map<string, Group>();
  let { details } = (await imports.byId(wanted.id)) ?? wanted;
  for (const [key, target] of Object.entries(details.conversations)) {
    const known =
      target.id === undefined ? await ownGroup(groups, owner, target.name) : await groups.byId(target.id);
    const group =
      known ?? (await createGroup({ groups, publish }, owner, { name: target.name, closed: true }));
    found.set(key, group);
    details = {
      ...details,
      conversations: {
        ...details.conversations,
        [key]: { name: target.name, id: group.id, lastSeq: target.lastSeq ?? group.lastSeq },
      },
    };
    await imports.change(wanted, { details });
  }
  return found;
}

/** The group of that name that they are in, such as one that was made before a process ended. */
async function ownGroup(groups: GroupStore, { id }: Account, name: string): Promise<Group | undefined> {
  const found = (await groups.all()).find((group) => group.name.toLowerCase() === name.toLowerCase());
  return found && (await groups.membership(id, found.id)) ? found : undefined;
}
