import type { X509Certificate } from 'node:crypto';
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import { installAccounts } from './accounts/install.ts';
import type { SessionStore } from './accounts/session-store.ts';
import { installAdmin } from './admin/install.ts';
import type { Config } from './config.ts';
import { createContext } from './context.ts';
import type { Keyring } from './crypto/keys.ts';
import type { Passwords } from './crypto/passwords.ts';
import type { Databases } from './database/open.ts';
import { chooseEngine } from './engines/speech/choose.ts';
import type { SpeechEngine } from './engines/speech/engine.ts';
import { installFiles } from './files/install.ts';
import { seedGroups } from './groups/create.ts';
import { installGroups } from './groups/install.ts';
import { createArrivals, noteArrivals, refuseOtherSites } from './http/arrival.ts';
import { readForms } from './http/body.ts';
import { answerFailures, nothingHere } from './http/failures.ts';
import { answerHealth } from './http/health.ts';
import { logRequests } from './http/request.ts';
import { securityHeaders } from './http/security.ts';
import { serveStatic } from './http/static.ts';
import { themeRoutes } from './http/theme.ts';
import { sendHtml } from './http/views.ts';
import { installInvitations } from './invitations/install.ts';
import { installLive } from './live/install.ts';
import { Upgrades } from './live/upgrade.ts';
import { installMessages } from './messages/install.ts';
import { installNotifications } from './notifications/install.ts';
import { installPresence } from './presence/install.ts';
import { installProfiles } from './profiles/install.ts';
import { installSearch } from './search/install.ts';
import { installSecondFactors } from './second-factors/install.ts';
import { openCachedStores, openStores, type Stores } from './stores.ts';
import { installVoice } from './voice/install.ts';

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
  upgrades: Upgrades;
  /** Compiles the templates; to be called once the server listens. */
  warm(): void;
  /** Says goodbye to every socket, once what they sent is committed and acknowledged. */
  closeSockets(): Promise<void>;
  /** Resolves when every write that was accepted is committed. */
  flush(): Promise<void>;
};

/** Installs the features; each may use those before it. This is the only file that knows all of them. */
export async function createApp(opened: Opened): Promise<App> {
  const { config, log, sessionStore, passwords, certificate } = opened;
  const base = createContext(opened);
  await prepare(await openStores(opened.databases, opened.keyring), config);
  const stores = await openCachedStores(opened.databases, opened.keyring, base.caches);
  const engine = speechEngine(config, log);
  const context = { ...base, ...stores, engine, hasSpeech: engine !== undefined };
  const accounts = await installAccounts({ ...context, sessionStore, passwords });
  const secondFactors = installSecondFactors({ ...context, ...accounts, passwords });
  const live = { ...context, ...installLive(context) };
  const groups = { ...live, ...installGroups(live) };
  const invitations = installInvitations(groups);
  const present = { ...groups, ...installPresence(groups) };
  const files = { ...present, ...installFiles(present) };
  const profiles = installProfiles(files);
  const messages = { ...files, ...installMessages(files) };
  const notifications = await installNotifications(messages);
  const search = await installSearch(messages);
  const voice = installVoice(messages);
  const admin = installAdmin(messages);

  const arrivals = createArrivals({ ...config, listensOn: config.host, certificate });
  const app = express();
  for (const setting of ['x-powered-by', 'etag']) app.disable(setting);
  app.use(logRequests(log), securityHeaders(), noteArrivals(arrivals));
  app.get('/healthz', answerHealth(opened.databases.canWrite));
  serveStatic(app, base.views.assets);
  app.get('/offline', (request, response) => {
    sendHtml(response, base.views.page(request, 'http/offline.njk', { account: null }));
  });
  app.use(refuseOtherSites(arrivals));
  voice.receiveCallbacks(app);
  app.use(readForms(), accounts.identify);
  // Most requested routes first: Express tries them in order until one matches.
  app.use(messages.messageRoutes, ...groups.groupRoutes(present.people), messages.listRoutes);
  app.use(notifications.notificationRoutes, profiles.profileRoutes, search.searchRoutes);
  app.use(files.fileRoutes, voice.voiceRoutes, themeRoutes(), accounts.accountRoutes(invitations.admission));
  app.use(invitations.invitationRoutes, admin.adminRoutes, secondFactors.secondFactorRoutes);
  app.use(nothingHere, answerFailures(base.views, log));

  const ownOperations = [
    ...accounts.sessionOperations,
    ...groups.groupOperations,
    ...profiles.profileOperations,
    ...notifications.notificationOperations,
    ...files.fileOperations,
    ...voice.voiceOperations,
    ...invitations.invitationOperations,
    ...admin.adminOperations,
  ];
  const upgrades = new Upgrades(
    { ...files, sessions: accounts.sessions, arrivals, rateLimits: config.rateLimits },
    [present.livePresence.overview(ownOperations), messages.conversation],
  );

  return {
    express: app,
    upgrades,
    warm: base.views.warm,
    async closeSockets() {
      await messages.writer.flush();
      live.hub.close();
    },
    flush: base.stop,
  };
}

function speechEngine(config: Config, log: Logger): SpeechEngine | undefined {
  const { engine, missing } = chooseEngine({
    engine: config.speechEngine,
    modelDir: config.speechModelDir,
    bucket: config.speechBucket,
    language: config.speechLanguage,
  });
  if (missing) log.warn({ reason: missing }, 'voice messages stay without text');
  return engine;
}

/** Creates the initial groups, and fills in what rows of older versions lack. */
async function prepare({ accounts, groups }: Stores, { adminUsername }: Config): Promise<void> {
  await accounts.fillSkeletons();
  if (adminUsername !== undefined) await accounts.makeAdmin(adminUsername);
  await seedGroups(groups);
}
