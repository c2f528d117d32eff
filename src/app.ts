import type { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import { identifyAccount } from './accounts/access.ts';
import { cacheAccounts } from './accounts/cached.ts';
import { createDevices } from './accounts/devices.ts';
import { accountChanged, sessionEnded, sessionsEnded } from './accounts/events.ts';
import { accountRoutes } from './accounts/routes.ts';
import type { SessionStore } from './accounts/session-store.ts';
import { createSessions } from './accounts/sessions.ts';
import { type Account, createAccountStore } from './accounts/store.ts';
import { createLocalBus } from './bus/local.ts';
import { type Caches, createCaches } from './cache/caches.ts';
import type { Config } from './config.ts';
import { createBlindIndex } from './crypto/blind-index.ts';
import type { Keyring } from './crypto/keys.ts';
import type { Passwords } from './crypto/passwords.ts';
import type { Databases } from './database/open.ts';
import { createSealer } from './database/sealed-columns.ts';
import { secretOf } from './database/sealing.ts';
import { createAudioConverter } from './engines/audio/convert.ts';
import { chooseEngine } from './engines/speech/choose.ts';
import { openBlobStore } from './files/blob-store.ts';
import { discardUpload } from './files/discard.ts';
import { fileOperations } from './files/operations.ts';
import { createReceiver } from './files/receive.ts';
import { fileRoutes } from './files/routes.ts';
import { createFileStore } from './files/store.ts';
import { startSweep } from './files/sweep.ts';
import { createUploadReader, UPLOAD_RATE } from './files/upload.ts';
import { cacheGroups } from './groups/cached.ts';
import { seedGroups } from './groups/create.ts';
import { createDirectPage, directRoutes } from './groups/direct-routes.ts';
import { pushGroups } from './groups/live.ts';
import { ownOperations } from './groups/own-operations.ts';
import { createGroupPage } from './groups/page.ts';
import { createGroupPresenter } from './groups/present.ts';
import { groupRoutes } from './groups/routes.ts';
import { createGroupStore, type Group } from './groups/store.ts';
import { createArrivals, noteArrivals, refuseOtherSites } from './http/arrival.ts';
import { readForms } from './http/body.ts';
import { answerFailures, nothingHere } from './http/failures.ts';
import { logRequests } from './http/request.ts';
import { securityHeaders } from './http/security.ts';
import { assetFolder, serveStatic } from './http/static.ts';
import { themeRoutes } from './http/theme.ts';
import { createViews, sendHtml } from './http/views.ts';
import { createLimits } from './limits.ts';
import { CLOSE } from './live/connection.ts';
import { createHub } from './live/hub.ts';
import { createUpgrades } from './live/upgrade.ts';
import { cacheMessages } from './messages/cached.ts';
import { cacheDrafts } from './messages/cached-drafts.ts';
import { createDraftStore } from './messages/draft-store.ts';
import { listRoutes } from './messages/list-routes.ts';
import { conversationSocket } from './messages/live.ts';
import { createReadMarks } from './messages/mark-read.ts';
import { createPlaybackReceiptStore } from './messages/playback-store.ts';
import { createMessagePresenter } from './messages/present.ts';
import { createTextRenderer } from './messages/render.ts';
import { messageRoutes } from './messages/routes.ts';
import { createSavedStore } from './messages/saved-store.ts';
import { showSeen } from './messages/seen.ts';
import { createMessageStore } from './messages/store.ts';
import { createThreadStore } from './messages/thread-store.ts';
import { countThreads } from './messages/threads.ts';
import { countUnread } from './messages/unread.ts';
import { createMessageWriter } from './messages/writer.ts';
import { notifyPeople } from './notifications/notify.ts';
import { notificationOperations } from './notifications/operations.ts';
import { createPush } from './notifications/push.ts';
import { notificationRoutes } from './notifications/routes.ts';
import { createDeviceStore } from './notifications/store.ts';
import { bindOperations } from './operations/define.ts';
import { createLivePresence } from './presence/live.ts';
import { profileOperations } from './profiles/operations.ts';
import { profileRoutes } from './profiles/routes.ts';
import { startSearchFeed } from './search/feed.ts';
import { createSearchIndex } from './search/index.ts';
import { searchRoutes } from './search/routes.ts';
import { receiveCallbacks } from './voice/callback-routes.ts';
import { pushTranscripts } from './voice/live.ts';
import { voiceOperations } from './voice/operations.ts';
import { startTranscriptions } from './voice/queue.ts';
import { createRecorder } from './voice/record.ts';
import { voiceRoutes } from './voice/routes.ts';
import { createTranscriptionStore } from './voice/store.ts';

type Opened = {
  config: Config;
  databases: Databases;
  keyring: Keyring;
  sessionStore: SessionStore;
  passwords: Passwords;
  log: Logger;
  /** The one that is served with TLS. */
  certificate(): X509Certificate | undefined;
};

export type App = {
  express: Express;
  upgrades: ReturnType<typeof createUpgrades>;
  /** Compiles what is compiled once, after the server listens. */
  warm(): void;
  /** Says goodbye to every socket, once what they sent is committed and acknowledged. */
  closeSockets(): Promise<void>;
  /** Resolves when every write that was accepted is committed. */
  flush(): Promise<void>;
};

/** What is stored, opened with the keys that fit it. Nothing here keeps anything in memory. */
export async function openStores({ users, chat }: Pick<Databases, 'users' | 'chat'>, keyring: Keyring) {
  const sealer = createSealer(keyring);
  const indexOfUsers = createBlindIndex(await secretOf(users, keyring, 'name-index'));
  const indexOfChat = createBlindIndex(await secretOf(chat, keyring, 'name-index'));
  return {
    accounts: createAccountStore(users, sealer, indexOfUsers),
    groups: createGroupStore(chat, sealer, indexOfChat),
    files: createFileStore(chat, sealer),
    messages: createMessageStore(chat, sealer),
    threads: createThreadStore(chat),
    drafts: createDraftStore(chat, sealer),
    saved: createSavedStore(chat),
    playbackReceipts: createPlaybackReceiptStore(chat),
    transcriptions: createTranscriptionStore(chat),
    devices: createDeviceStore(users, sealer, indexOfUsers),
  };
}

export type Stores = Awaited<ReturnType<typeof openStores>>;

/** The same stores, with what is read often kept in memory until an event says that it has changed. */
export function cacheStores(stores: Stores, caches: Caches): Stores {
  return {
    ...stores,
    accounts: cacheAccounts(stores.accounts, caches),
    groups: cacheGroups(stores.groups, caches),
    messages: cacheMessages(stores.messages, caches),
    drafts: cacheDrafts(stores.drafts, caches),
  };
}

/** Puts the features together; the only file that knows them all. */
export async function createApp({
  config,
  databases,
  keyring,
  sessionStore,
  passwords,
  log,
  certificate,
}: Opened): Promise<App> {
  const limits = createLimits(config.rateLimits);
  const { rateLimits, adminUsername, editLimitMs, dataDir } = config;
  const fileLimits = { file: config.fileLimit, person: config.personLimit, disk: config.diskLimit };
  const bus = createLocalBus((err, event) => log.error({ err, event }, 'a listener failed'));
  const { publish, subscribe } = bus;
  const caches = createCaches(bus.subscribeFirst);
  const views = createViews(assetFolder(config.assetVersion));

  const stored = await openStores(databases, keyring);
  await stored.accounts.fillSkeletons();
  if (adminUsername !== undefined) await stored.accounts.makeAdmin(adminUsername);
  await seedGroups(stored.groups);
  const {
    accounts,
    groups,
    files,
    messages,
    threads,
    drafts,
    saved,
    playbackReceipts,
    transcriptions,
    devices,
  } = cacheStores(stored, caches);
  const browsers = createDevices(await secretOf(databases.users, keyring, 'device-cookie'));

  const cookieSecret =
    config.sessionSecret ?? (await secretOf(databases.users, keyring, 'session-cookie')).toString('base64');
  const sessions = createSessions(accounts, sessionStore.open(caches), caches, cookieSecret);
  const seesAddresses = (account: Account) =>
    config.showAddresses === 'everyone' || (config.showAddresses === 'admins' && account.isAdmin);

  const arrivals = createArrivals({ ...config, listensOn: config.host, certificate });
  const hub = createHub();
  const groupPresenter = createGroupPresenter(views, groups, accounts, caches);
  const report = (err: unknown) => log.error({ err }, 'something failed in the background');
  const unreadThreads = countThreads({ hub, views, messages, threads, caches, publish, subscribe, report });
  const page = createGroupPage(views, groupPresenter, ({ id }) => unreadThreads.link(id));
  const index = createSearchIndex(
    { file: join(dataDir, 'search.sqlite3'), secret: await secretOf(databases.chat, keyring, 'search') },
    report,
  );
  const searchFeed = config.searchIndex
    ? startSearchFeed({ index, groups, messages, subscribe, report })
    : undefined;
  const presence = createLivePresence({
    hub,
    views,
    groups,
    accounts,
    groupPresenter,
    caches,
    publish,
    subscribe,
    report,
  });
  const blobs = openBlobStore(join(dataDir, 'media'));
  const sweeping = startSweep({ files, blobs }, report);
  const readUpload = createUploadReader({
    receiver: createReceiver({ files, blobs, limits: fileLimits }),
    rate: limits.of(UPLOAD_RATE),
    discard: ({ id }) => discardUpload({ files, blobs }, id),
  });
  const texts = createTextRenderer(report);
  const presenter = createMessagePresenter(views, accounts, messages, texts, caches);
  const seen = showSeen({ hub, views, accounts, groups, messages, caches, subscribe, report });
  const writer = createMessageWriter({ messages, groups, publish });
  const marks = createReadMarks({ groups, publish });
  const unread = countUnread({ hub, groups, messages, marks, publish, subscribe, report });
  const converter = createAudioConverter(report);
  if (converter.missing) log.warn({ missing: converter.missing }, 'no voice messages can be taken');
  const { engine, missing } = chooseEngine({
    engine: config.speechEngine,
    modelDir: config.speechModelDir,
    bucket: config.speechBucket,
    language: config.speechLanguage,
  });
  if (missing) log.warn({ reason: missing }, 'voice messages stay without text');
  const forget = async (fileId: string) => engine?.forget?.(fileId).catch(report);
  const writing = { files, texts, transcriptions, writer, publish, forget };
  const queue = startTranscriptions({ ...writing, engine, messages, blobs, subscribe, report });
  const recorder = createRecorder({ converter, files, blobs, transcriptions, engine, wake: queue.wake });
  pushTranscripts({ hub, files, subscribe, report });
  const push = createPush({
    secret: await secretOf(databases.users, keyring, 'vapid'),
    contact: config.pushContact,
    services: config.pushServices,
    devices,
    report,
  });
  const notifications = notifyPeople({
    hub,
    accounts,
    groups,
    groupPresenter,
    messages,
    devices,
    push,
    subscribe,
    report,
  });
  /** What an account does that needs no group to be open. */
  const own = {
    groups: bindOperations(ownOperations, { groups, accounts, publish }, limits),
    profiles: bindOperations(profileOperations, { accounts, publish }, limits),
    notifications: bindOperations(notificationOperations, { accounts, devices, push, publish }, limits),
    files: bindOperations(fileOperations, { files, groups, blobs }, limits),
    voice: bindOperations(voiceOperations, { ...writing, groups, engine, wake: queue.wake }, limits),
  };
  pushGroups({ hub, groups, presenter: groupPresenter, subscribe });
  subscribe(accountChanged, ({ accountId }) => {
    // They come back at once, as who they are now. A command that changed the profile is acknowledged first.
    setImmediate(() =>
      hub.closeWhere(
        (connection) => connection.account.id === accountId,
        CLOSE.goingAway,
        'Your profile changed.',
      ),
    );
  });
  subscribe(sessionEnded, ({ sessionId }) => {
    devices.removeOfSession(sessionId).catch(report);
    hub.closeWhere((connection) => connection.sessionId === sessionId, CLOSE.notSignedIn, 'You signed out.');
  });
  subscribe(sessionsEnded, ({ accountId }) => {
    devices.removeAllOf(accountId).catch(report);
    hub.closeWhere(
      (connection) => connection.account.id === accountId,
      CLOSE.notSignedIn,
      'The password was changed. Sign in again.',
    );
  });

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(logRequests(log));
  app.use(securityHeaders());
  app.use(noteArrivals(arrivals));
  app.get('/healthz', async (_request, response) => {
    const ok = await databases.canWrite();
    response
      .status(ok ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: ok ? 'ok' : 'unavailable' });
  });
  serveStatic(app, views.assets);
  app.get('/offline', (request, response) => {
    sendHtml(response, views.page(request, 'http/offline.njk', { account: null }));
  });
  app.use(refuseOtherSites(arrivals));
  receiveCallbacks(app, { ...writing, sharedSecret: config.sharedSecret, limits });
  app.use(readForms());
  app.use(identifyAccount(sessions));
  // In the order of how often they are asked for: each route that does not match is tried first.
  app.use(
    messageRoutes({
      views,
      page,
      groupPresenter,
      accounts,
      groups,
      messages,
      files,
      threads,
      drafts,
      saved,
      playbackReceipts,
      texts,
      seen,
      blobs,
      readUpload,
      fileLimits,
      hasSpeech: engine !== undefined,
      presenter,
      editLimitMs,
      publish,
      presence: presence.presenter,
      writer,
      marks,
      limits,
      caches,
      seesAddresses,
    }),
  );
  const people = {
    here: (group: Group, account: Account) => presence.presenter.here(group, seesAddresses(account)),
    overall: (account: Account) => presence.presenter.overall(seesAddresses(account)),
  };
  const directPage = createDirectPage({ page, accounts });
  app.use(
    groupRoutes({
      page,
      presenter: groupPresenter,
      groups,
      accounts,
      publish,
      people,
      own: own.groups,
      limits,
      directPage,
    }),
  );
  app.use(listRoutes({ page, groups, groupPresenter, messages, presenter, threads, saved }));
  app.use(notificationRoutes({ page, devices, push, operations: own.notifications }));
  app.use(directRoutes(directPage));
  app.use(
    profileRoutes({
      views,
      page,
      accounts,
      groups,
      publish,
      limits,
      operations: own.profiles,
    }),
  );
  app.use(
    searchRoutes({
      page,
      accounts,
      groups,
      groupPresenter,
      messages,
      index: config.searchIndex ? index : undefined,
      limits,
    }),
  );
  app.use(
    fileRoutes({
      views,
      page,
      accounts,
      groups,
      groupPresenter,
      files,
      blobs,
      readUpload,
      operations: own.files,
    }),
  );
  app.use(
    voiceRoutes({
      ...writing,
      views,
      page,
      accounts,
      groups,
      groupPresenter,
      messages,
      blobs,
      readUpload,
      limits,
      recorder,
      engine,
      operations: own.voice,
    }),
  );
  app.use(themeRoutes());
  app.use(
    accountRoutes({
      views,
      accounts,
      devices: browsers,
      passwords,
      publish,
      adminUsername,
      limits,
      session: sessions.middleware,
    }),
  );
  app.use(nothingHere);
  app.use(answerFailures(views, log));

  const upgrades = createUpgrades(
    {
      hub,
      sessions,
      arrivals,
      log,
      limits,
      rateLimits,
      seesAddresses: ({ account }) => seesAddresses(account),
    },
    [
      presence.overview(Object.values(own).flat()),
      conversationSocket({
        hub,
        accounts,
        groups,
        messages,
        blobs,
        playbackReceipts,
        saved,
        threads,
        publish,
        texts,
        presenter,
        presence,
        writer,
        marks,
        drafts,
        files,
        limits,
        editLimitMs,
        subscribe,
        report,
      }),
    ],
  );

  return {
    express: app,
    upgrades,
    warm: views.warm,
    async closeSockets() {
      await writer.flush();
      hub.close();
    },
    async flush() {
      await queue.stop();
      await converter.close();
      await writer.flush();
      await unread.flush();
      await marks.flush();
      await sweeping.stop();
      await notifications.flush();
      await searchFeed?.stop();
      await texts.close();
    },
  };
}
