import { z } from 'zod';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import { ChatError, invalid, notFound } from '../errors.ts';
import type { BlobStore } from '../files/blob-store.ts';
import { groupName } from '../groups/create.ts';
import type { GroupStore } from '../groups/store.ts';
import { isZone } from '../http/request.ts';
import { parseInput } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import { DATE_ORDERS, type Outline, type ReadingChoices } from './source.ts';
import type { ChatImport, ImportStore, Target } from './store.ts';

export const whichImport = z.object({ importId: wholeNumber('"importId" takes the number of an import.') });

/** Beside the number: `zone`, `dates`, and a target for each conversation and person, such as `conversation.0`. */
export const startForm = whichImport
  .extend({ zone: z.string().max(300).optional(), dates: z.string().max(300).optional() })
  .catchall(z.string().max(300));

export type StartDependencies = {
  imports: ImportStore;
  accounts: AccountStore;
  groups: GroupStore;
  blobs: BlobStore;
  audit: AuditStore;
  /** Begins the work in the background. */
  begin(): void;
};

/**
 * Begins to bring a chat in.
 * @throws ChatError 400 for a target that cannot be one, 404, 409 for one that is under way or done
 */
export async function startImport(
  dependencies: StartDependencies,
  admin: Account,
  { importId, ...fields }: z.output<typeof startForm>,
): Promise<void> {
  const { imports, audit, begin } = dependencies;
  const wanted = await unbegun(imports, importId);
  const { outline } = wanted.details;
  const choices = choicesFrom(fields, wanted.details.choices);
  const conversations = await conversationTargets(dependencies, admin, outline, fields);
  if (Object.keys(conversations).length === 0)
    throw invalid('conversation.0', 'Give at least one conversation a name.');
  const people = await personTargets(dependencies, outline, fields);
  const total = outline.conversations
    .filter(({ key }) => Object.hasOwn(conversations, key))
    .reduce((sum, { messages }) => sum + messages, 0);
  const { failure: _before, ...kept } = wanted.details;
  const details = { ...kept, choices, conversations, people };
  await imports.change(wanted, { state: 'running', details, done: 0, total });
  const about = {
    group: Object.values(conversations)
      .map(({ name }) => name)
      .join(', ')
      .slice(0, 500),
  };
  await audit.add({ at: Date.now(), actorId: admin.id, action: 'import-chats', details: about });
  begin();
}

/** Throws an import away with its archive. What was brought in stays. */
export async function discardImport(
  { imports, blobs }: StartDependencies,
  { importId }: z.output<typeof whichImport>,
): Promise<void> {
  const one = await imports.byId(importId);
  if (!one) throw notFound('There is no such import.');
  if (one.state === 'running')
    throw new ChatError('under_way', 409, 'This import is under way. Wait for its end.');
  await blobs.remove(one.blobId);
  await imports.remove(importId);
}

async function unbegun(imports: ImportStore, id: number): Promise<ChatImport> {
  const one = await imports.byId(id);
  if (!one) throw notFound('There is no such import.');
  if (one.state === 'ready' || one.state === 'failed') return one;
  throw new ChatError('under_way', 409, 'This import was begun already.');
}

function choicesFrom(fields: Record<string, string>, before: ReadingChoices): ReadingChoices {
  const { zone = before.zone, dates = '' } = fields;
  if (!isZone(zone)) throw invalid('zone', 'Enter a time zone such as Europe/Berlin.');
  return { zone, dates: DATE_ORDERS.find((order) => order === dates) ?? before.dates };
}

async function conversationTargets(
  { groups }: StartDependencies,
  admin: Account,
  outline: Outline,
  fields: Record<string, string>,
): Promise<Record<string, Target>> {
  const all = await groups.all();
  const targets = new Map<string, Target>();
  for (const [index, { key, name: own }] of outline.conversations.entries()) {
    const field = `conversation.${index}`;
    const typed = (fields[field] ?? own).trim();
    if (typed === '') continue;
    const name = nameOrRefusal(field, typed);
    const existing = all.find((group) => group.name.toLowerCase() === name.toLowerCase());
    if ([...targets.values()].some((target) => target.name.toLowerCase() === name.toLowerCase()))
      throw invalid(field, `Two conversations cannot both become “${name}”. Choose another name.`);
    if (existing && !(await groups.membership(admin.id, existing.id)))
      throw invalid(
        field,
        `There is a group “${name}” that you are not in. Choose another name, or join it.`,
      );
    if (existing?.archivedAt)
      throw invalid(
        field,
        `The group “${existing.name}” is archived. Take it up again, or choose another name.`,
      );
    targets.set(key, existing ? { name: existing.name, id: existing.id } : { name });
  }
  return Object.fromEntries(targets);
}

function nameOrRefusal(field: string, typed: string): string {
  try {
    return parseInput(groupName, { name: typed }).name;
  } catch (error) {
    if (error instanceof ChatError) throw invalid(field, error.message);
    throw error;
  }
}

/** The accounts that were named; whoever has none is left out, and gets one when the import runs. */
async function personTargets(
  { accounts }: StartDependencies,
  outline: Outline,
  fields: Record<string, string>,
): Promise<Record<string, Target>> {
  const targets = new Map<string, Target>();
  for (const [index, { key }] of outline.people.entries()) {
    const field = `person.${index}`;
    const typed = (fields[field] ?? '').trim().replace(/^@/, '');
    if (typed === '') continue;
    const account = await accounts.byName(typed.normalize('NFC'));
    if (!account || account.isBot) throw invalid(field, `There is nobody here with the name “${typed}”.`);
    targets.set(key, { name: account.username, id: account.id });
  }
  return Object.fromEntries(targets);
}
