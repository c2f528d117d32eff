// npm run export -- FILE.zip [--data FOLDER]     all groups and conversations as one archive that opens without a server
import { createWriteStream, existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readCommand } from '../src/config.ts';
import { StartError } from '../src/errors.ts';
import { type ArchivedGroup, createGroupArchive, type Written } from '../src/exports/group-archive.ts';
import { openBlobs } from '../src/files/open-blobs.ts';
import { assetFolder } from '../src/http/static.ts';
import { createViews } from '../src/http/views.ts';
import { createTextRenderer } from '../src/messages/render.ts';
import type { Stores } from '../src/stores.ts';
import { version } from '../src/version.ts';
import { withStores } from './stores.ts';

const [file = '', ...flags] = process.argv.slice(2);

if (file === '' || file.startsWith('--')) {
  console.error('Say where to: npm run export -- FILE.zip [--data FOLDER]');
  process.exitCode = 2;
} else await withStores(flags, (stores) => writeArchive(stores, file));

async function writeArchive(stores: Stores, target: string): Promise<void> {
  if (existsSync(target)) throw new StartError(`${target} is there already. Name another file.`);
  if (!existsSync(dirname(target)))
    throw new StartError(`There is no folder ${dirname(target)}. Make it, or name another file.`);
  const command = readCommand([...flags], process.env, version());
  if (command.kind !== 'start') throw new StartError(command.text);
  const texts = createTextRenderer((error) => console.error(error));
  const groups = await groupsOf(stores);
  const blobs = await openBlobs(command.config);
  const dependencies = {
    ...stores,
    texts,
    views: createViews(assetFolder('export')),
    blobs,
  };
  let written: Written = { messages: 0, lost: [] };
  try {
    // Nothing in it is sealed: only who runs this command reads it.
    await pipeline(
      createGroupArchive(dependencies, groups, (all) => {
        written = all;
      }),
      createWriteStream(target, { mode: 0o600, flags: 'wx' }),
    );
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  } finally {
    await texts.close();
    blobs.close();
  }
  const { messages, lost } = written;
  console.log(`${target}: ${groups.length} conversations, ${messages} messages. It is not encrypted.`);
  if (lost.length === 0) return;
  console.error(`These files are missing or incomplete, as they could not be read:\n${lost.join('\n')}`);
  process.exitCode = 1;
}

/** Every group and conversation; one between a few is called after them. */
async function groupsOf({ groups, accounts }: Stores): Promise<ArchivedGroup[]> {
  const all = await groups.everyKind();
  return Promise.all(
    all.map(async ({ id, name, kind, lastSeq }) => {
      if (kind === 'group') return { id, name, lastSeq };
      const members = await groups.members(id, 20);
      const people = await Promise.all(members.map((member) => accounts.byId(member)));
      return { id, lastSeq, name: people.map((person) => person?.name ?? 'Somebody who left').join(', ') };
    }),
  );
}
