import type { X509Certificate } from 'node:crypto';
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import { installAccounts } from './accounts/install.ts';
import type { SessionStore } from './accounts/session-store.ts';
import type { SignedIn } from './accounts/sessions.ts';
import { installAdmin } from './admin/install.ts';
import { installApi } from './api/install.ts';
import { installBackups } from './backups/install.ts';
import { installBots } from './bots/install.ts';
import type { Config } from './config.ts';
import { type Context, createContext } from './context.ts';
import type { Keyring } from './crypto/keys.ts';
import type { Passwords } from './crypto/passwords.ts';
import type { Databases } from './database/open.ts';
import { installDeletion } from './deletion/install.ts';
import { openFaceEngine, openSpeechEngine } from './engines/open.ts';
import { installExports } from './exports/install.ts';
import { installFiles } from './files/install.ts';
import { installGroups } from './groups/install.ts';
import { type Arrivals, createArrivals, noteArrivals, refuseOtherSites } from './http/arrival.ts';
import { readForms } from './http/body.ts';
import { answerFailures, nothingHere } from './http/failures.ts';
import { healthRoutes, nothingElse } from './http/health.ts';
import { logRequests } from './http/request.ts';
import { securityHeaders } from './http/security.ts';
import { serveStatic } from './http/static.ts';
import { themeRoutes } from './http/theme.ts';
import { sendHtml } from './http/views.ts';
import { installImports } from './imports/install.ts';
import { installInbox } from './inbox/install.ts';
import { installInvitations } from './invitations/install.ts';
import { installLive } from './live/install.ts';
import { Upgrades } from './live/upgrade.ts';
import { installMessages } from './messages/install.ts';
import { installNotifications } from './notifications/install.ts';
import type { BoundOperation } from './operations/define.ts';
import { installOtherClients } from './other-clients/install.ts';
import { prepare } from './prepare.ts';
import { installPresence } from './presence/install.ts';
import { installPreviews } from './previews/install.ts';
import { installProfiles } from './profiles/install.ts';
import type { Redis } from './redis.ts';
import { installReports } from './reports/install.ts';
import { installRetention } from './retention/install.ts';
import { installSearch } from './search/install.ts';
import { installSecondFactors } from './second-factors/install.ts';
import { openCachedStores, openStores } from './stores.ts';
import { installTokens } from './tokens/install.ts';
import { trustRoutes } from './trust/routes.ts';
import { version } from './version.ts';
import { installVoice } from './voice/install.ts';

type Opened = {
  config: Config;
  databases: Databases;
  keyring: Keyring;
  sessionStore: SessionStore;
  /** Undefined where there is one process. */
  redis: Redis | undefined;
  passwords: Passwords;
  log: Logger;
  /** The one that is served with TLS. */
  certificate(): X509Certificate | undefined;
  /** Who signed it, where Hearth made both. */
  authority(): X509Certificate | undefined;
};

export type App = {
  express: Express;
  upgrades: Pick<Upgrades, 'attach'>;
  /** Compiles the templates; to be called once the server listens. */
  warm(): void;
  /** Closes every socket, once what it sent is committed and acknowledged. */
  closeSockets(): Promise<void>;
  /** Resolves when every write that was accepted is committed. */
  flush(): Promise<void>;
};

/** Creates the app of all features. This is the only file that knows all of them. */
export async function createApp(opened: Opened): Promise<App> {
  const { config, certificate } = opened;
  const base = await createContext(opened);
  const stores = await openStores(opened.databases, opened.keyring);
  await opened.databases.inTurn('prepare', () => prepare(stores, config, base.publish), true);
  const features = await install(opened, base);
  const own = ownOperations(features);
  const { operations } = features.messages;
  const ofGroups = [...operations.settingOperations, ...features.bots.botOperations];
  const tables = { ...operations, settingOperations: ofGroups, ownOperations: own };
  const api = installApi(features.readable, tables, version());
  const arrivals = createArrivals({ ...config, listensOn: config.host, certificate });
  const { accounts, messages } = features;
  const others = installOtherClients(
    { ...features.readable, ...api.signingIn },
    features.invitations.admission,
    messages.operations.conversationOperations,
    own,
  );
  const upgrades = new Upgrades(
    {
      ...messages,
      plain: others.plain,
      socketIo: others.socketIo,
      tokens: features.tokens.tokens,
      sessions: accounts.sessions,
      arrivals,
      rateLimits: config.rateLimits,
    },
    [messages.livePresence.overview(own), messages.conversation],
  );
  return {
    express: route(opened, base, arrivals, features, { ...api, ...others }),
    upgrades: opened.config.role === 'worker' ? { attach() {} } : upgrades,
    warm: base.views.warm,
    async closeSockets() {
      await messages.writer.flush();
      messages.hub.close();
    },
    flush: base.stop,
  };
}

type Features = Awaited<ReturnType<typeof install>>;

/** Installs the features; each may use those before it. */
async function install({ config, log, databases, keyring, sessionStore, passwords }: Opened, base: Context) {
  const stores = await openCachedStores(databases, keyring, base.caches, config.inboxOnly);
  const engine = openSpeechEngine(config, log);
  const faces = openFaceEngine(config, log);
  const context = {
    ...{ ...base, ...stores, engine, hasSpeech: engine !== undefined },
    ...{ faces, hasFaces: faces !== undefined },
  };
  const accounts = await installAccounts({ ...context, sessionStore, passwords });
  const secondFactors = await installSecondFactors({ ...context, ...accounts, passwords });
  const tokens = await installTokens({ ...context, passwords });
  const live = { ...context, ...installLive(context) };
  const groups = { ...live, ...installGroups(live) };
  const invitations = installInvitations(groups);
  const present = { ...groups, ...installPresence(groups) };
  const files = { ...present, ...(await installFiles(present)) };
  const profiles = installProfiles(files);
  const messages = { ...files, ...(await installMessages(files)) };
  const reports = installReports(messages);
  const inbox = await installInbox(messages);
  const notifications = await installNotifications(messages);
  const bots = await installBots({ ...messages, ...tokens });
  const previews = installPreviews(messages);
  const search = await installSearch(messages);
  const voice = installVoice(messages);
  const deletion = installDeletion({ ...messages, passwords });
  const exported = installExports(messages);
  const imported = installImports(messages);
  const readable = { ...messages, ...tokens, ...installBackups(messages), index: search.index };
  const admin = await installAdmin({ ...readable, ...deletion });
  const retention = installRetention(readable);
  return {
    accounts,
    secondFactors,
    tokens,
    invitations,
    profiles,
    messages,
    reports,
    inbox,
    notifications,
    bots,
    previews,
    search,
    voice,
    deletion,
    exported,
    imported,
    admin,
    retention,
    /** What programs read. */
    readable: { ...readable, ...exported, receiveRecording: voice.receiveRecording, passwords },
  };
}

function route(
  { config, log, certificate, authority }: Opened,
  base: Context,
  arrivals: Arrivals,
  features: Features,
  programs: ReturnType<typeof installApi> & ReturnType<typeof installOtherClients>,
): Express {
  const { accounts, invitations, messages, voice } = features;
  const { views } = base;
  const app = express();
  for (const setting of ['x-powered-by', 'etag']) app.disable(setting);
  app.use(logRequests(log, base.metrics), securityHeaders(), noteArrivals(arrivals));
  app.use(healthRoutes(base));
  if (config.role === 'worker') return app.use(nothingElse);
  serveStatic(app, views.assets);
  app.get('/offline', (request, response) => {
    sendHtml(response, views.page(request, 'http/offline.njk', { account: null }));
  });
  app.use('/api/v1', programs.api).get('/media/:fileId', programs.mediaOfTokens);
  app.use(programs.chatterbox, features.bots.hookRoutes);
  app.use('/api', programs.chatsphere).use('/socket.io', programs.socketIo.polling);
  app.use(refuseOtherSites(arrivals));
  voice.receiveCallbacks(app);
  app.use(readForms(/^\/admin\/imports\/\d+\/start$/), accounts.identify);
  app.use('/api', programs.secureChatDemo);
  app.get(['/', '/groups', '/direct'], features.inbox.inboxHome);
  // Most requested routes first: Express tries them in order until one matches.
  app.use(messages.messageRoutes, ...messages.groupRoutes(messages.people), messages.listRoutes);
  app.use(features.notifications.notificationRoutes, features.profiles.profileRoutes);
  app.use(features.search.searchRoutes, messages.fileRoutes, voice.voiceRoutes, themeRoutes());
  app.use(trustRoutes({ views, config, certificate, authority }));
  app.use(accounts.accountRoutes(invitations.admission), ...features.secondFactors.secondFactorRoutes);
  app.use(features.tokens.tokenRoutes, programs.apiDocs, features.bots.botRoutes);
  app.use(features.previews.previewRoutes, invitations.invitationRoutes, features.reports.reportRoutes);
  app.use(features.inbox.inboxRoutes);
  app.use(features.deletion.deletionRoutes, ...features.exported.exportRoutes, features.admin.adminRoutes);
  app.use(features.imported.importRoutes, features.retention.retentionRoutes);
  app.use(nothingHere, answerFailures(views, log));
  return app;
}

/** The operations of an account: each is a command of its own socket. */
function ownOperations(features: Features): BoundOperation<SignedIn>[] {
  return [
    ...features.accounts.sessionOperations,
    ...features.accounts.emailOperations,
    ...features.messages.groupOperations,
    ...features.profiles.profileOperations,
    ...features.notifications.notificationOperations,
    ...features.messages.fileOperations,
    ...features.voice.voiceOperations,
    ...features.invitations.invitationOperations,
    ...features.inbox.inboxOperations,
    ...features.reports.reportOperations,
    ...features.secondFactors.passkeyOperations,
    ...features.tokens.tokenOperations,
    ...features.exported.exportOperations,
    ...features.imported.importOperations,
    ...features.admin.adminOperations,
    ...features.retention.retentionOperations,
  ];
}
