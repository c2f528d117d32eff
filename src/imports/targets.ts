import { accountChanged } from '../accounts/events.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { createGroup } from '../groups/create.ts';
import type { Group } from '../groups/group.ts';
import type { GroupStore } from '../groups/store.ts';
import { makePerson } from './people.ts';
import type { Outline } from './source.ts';
import type { ChatImport, ImportStore } from './store.ts';

type Dependencies = { accounts: AccountStore; groups: GroupStore; imports: ImportStore; publish: Publish };

/** The account of each person of the archive; those who have none get one, noted before the next. */
export async function resolvePeople(
  { accounts, imports, publish }: Dependencies,
  wanted: ChatImport,
  outline: Outline,
): Promise<Map<string, Account>> {
  const found = new Map<string, Account>();
  let details = wanted.details;
  for (const person of outline.people) {
    const target = Object.hasOwn(details.people, person.key) ? details.people[person.key] : undefined;
    const known =
      target?.id === undefined
        ? target?.name
          ? await accounts.byName(target.name)
          : undefined
        : await accounts.byId(target.id);
    if (known) {
      found.set(person.key, known);
      continue;
    }
    const made = await makePerson(accounts, person, Date.now());
    publish(accountChanged, { accountId: made.id });
    found.set(person.key, made);
    details = {
      ...details,
      people: { ...details.people, [person.key]: { name: made.username, id: made.id, isMade: true } },
    };
    await imports.change(wanted, { details });
  }
  return found;
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
