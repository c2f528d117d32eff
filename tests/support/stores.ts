import { join } from 'node:path';
import type { EventType } from '../../src/bus/bus.ts';
import { createLocalBus } from '../../src/bus/local.ts';
import { createCaches } from '../../src/cache/caches.ts';
import { loadKeyring } from '../../src/crypto/keys.ts';
import { createPasswords } from '../../src/crypto/passwords.ts';
import { openDatabases } from '../../src/database/open.ts';
import { checkKeyring } from '../../src/database/sealing.ts';
import { openBlobStore } from '../../src/files/blob-store.ts';
import { createAdmission } from '../../src/invitations/admit.ts';
import { Announcer } from '../../src/messages/announce.ts';
import { createTextRenderer } from '../../src/messages/render.ts';
import { createMessageWriter } from '../../src/messages/writer.ts';
import { createMetrics } from '../../src/metrics.ts';
import { openStores as openAll } from '../../src/stores.ts';
import { atEnd, databaseOf, type Ending, LOWEST_COST, temporaryFolder } from './hearth.ts';

/** Real stores in a temporary folder, and a record of what was published. */
export async function openStores(test: Ending, dataDir = temporaryFolder(test)) {
  const keyring = loadKeyring(undefined, dataDir, true);
  const databases = await openDatabases(dataDir, (await databaseOf(dataDir)).DATABASE_URL);
  atEnd(test, () => databases.close());
  const { users, chat } = databases;
  await checkKeyring(users, keyring);
  await checkKeyring(chat, keyring);
  const events = createLocalBus((error) => {
    throw error;
  });
  const stores = await openAll(databases, keyring);
  const { accounts, groups, messages } = stores;
  const texts = createTextRenderer((error) => {
    throw error;
  });
  atEnd(test, () => texts.close());
  const report = (error: unknown) => {
    throw error;
  };
  const writing = { ...events, messages, groups, isAlone: true, metrics: createMetrics(), report };
  const writer = createMessageWriter({ ...writing, announcer: new Announcer(writing) });

  return {
    dataDir,
    databases,
    keyring,
    ...stores,
    caches: createCaches(events.subscribeFirst),
    blobs: openBlobStore(join(dataDir, 'media')),
    writer,
    admission: createAdmission({ ...stores, publish: events.publish, fixedRegistration: undefined }),
    ...events,
    texts,
    /** Everything of one kind that is published from now on. */
    recordEvents<Payload>(type: EventType<Payload>): Payload[] {
      const payloads: Payload[] = [];
      events.subscribe(type, (payload) => payloads.push(payload));
      return payloads;
    },
    /** An account whose password nobody knows; hashing one takes a quarter of a second. */
    async account(username: string, isAdmin = false) {
      const account = await accounts.add({ username, passwordHash: 'none', isAdmin, now: Date.now() });
      if (typeof account === 'string') throw new Error(`${username} is taken`);
      return account;
    },
  };
}

/** The worker threads that hash, ended after the test. @param cost bcrypt's work factor */
export function realPasswords(test: Ending, cost = LOWEST_COST) {
  const passwords = createPasswords(cost);
  atEnd(test, () => passwords.close());
  return passwords;
}
