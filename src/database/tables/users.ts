import { blob, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Times are integer milliseconds, UTC. The name is sealed; its blind index keeps it unique without regard to case. */
export const accounts = sqliteTable('accounts', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  nameIndex: blob('name_index', { mode: 'buffer' }).notNull().unique(),
  name: blob('name', { mode: 'buffer' }).notNull(),
  /** A keyed hash of what the name looks like. */
  skeletonIndex: blob('skeleton_index', { mode: 'buffer' }),
  displayName: blob('display_name', { mode: 'buffer' }),
  displaySkeletonIndex: blob('display_skeleton_index', { mode: 'buffer' }),
  passwordHash: text('password_hash').notNull(),
  isAdmin: integer('is_admin', { mode: 'boolean' }).notNull(),
  /** Counts up when every session of the account ends; a session that carries an older number is over. */
  sessionEpoch: integer('session_epoch').notNull(),
  createdAt: integer('created_at').notNull(),
  line: blob('line', { mode: 'buffer' }),
  picture: blob('picture', { mode: 'buffer' }),
  /** Counts up with each new picture; 0 is none. */
  pictureVersion: integer('picture_version').notNull().default(0),
  showsReceipts: integer('shows_receipts', { mode: 'boolean' }).notNull().default(true),
  quietFrom: integer('quiet_from'),
  quietTo: integer('quiet_to'),
  quietZone: text('quiet_zone'),
  spokenLanguage: text('spoken_language'),
  showsSeconds: integer('shows_seconds', { mode: 'boolean' }).notNull().default(false),
  suspendedAt: integer('suspended_at'),
  renamedAt: integer('renamed_at'),
  isGuest: integer('is_guest', { mode: 'boolean' }).notNull().default(false),
  hasPreviews: integer('has_previews', { mode: 'boolean' }).notNull().default(true),
  isBot: integer('is_bot', { mode: 'boolean' }).notNull().default(false),
  email: blob('email', { mode: 'buffer' }),
  emailIndex: blob('email_index', { mode: 'buffer' }),
});

/** Usernames that accounts had before: nobody else can take them, and mentions of them stay mentions. */
export const formerNames = sqliteTable('former_names', {
  nameIndex: blob('name_index', { mode: 'buffer' }).primaryKey(),
  skeletonIndex: blob('skeleton_index', { mode: 'buffer' }).notNull(),
  accountId: integer('account_id').notNull(),
  name: blob('name', { mode: 'buffer' }).notNull(),
});

/** Web Push subscriptions: the address at which the push service of a browser accepts messages for it. */
export const pushSubscriptions = sqliteTable('push_subscriptions', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  accountId: integer('account_id').notNull(),
  endpointIndex: blob('endpoint_index', { mode: 'buffer' }).notNull().unique(),
  sessionIndex: blob('session_index', { mode: 'buffer' }).notNull(),
  subscription: blob('subscription', { mode: 'buffer' }).notNull(),
  createdAt: integer('created_at').notNull(),
  deliveredAt: integer('delivered_at'),
});

/** What administrators set while Hearth runs. */
export const siteSettings = sqliteTable('site_settings', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
});

/** What administrators did. Each hash covers its entry and the hash before it. */
export const auditLog = sqliteTable('audit_log', {
  id: integer('id').primaryKey(),
  at: integer('at').notNull(),
  /** Null for what was done by a command on the machine. */
  actorId: integer('actor_id'),
  action: text('action').notNull(),
  details: blob('details', { mode: 'buffer' }).notNull(),
  hash: blob('hash', { mode: 'buffer' }).notNull(),
});

/** One row: how many entries the audit log has. */
export const auditHead = sqliteTable('audit_head', {
  id: integer('id').primaryKey(),
  entries: integer('entries').notNull(),
  hash: blob('hash', { mode: 'buffer' }).notNull(),
});

/** Links that let people in. Null in `expiresAt` and `maxUses` is without end. */
export const invitations = sqliteTable('invitations', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  codeIndex: blob('code_index', { mode: 'buffer' }).notNull().unique(),
  code: blob('code', { mode: 'buffer' }).notNull(),
  creatorId: integer('creator_id').notNull(),
  /** The ids of the groups that it opens, as JSON. */
  groupIds: text('group_ids', { mode: 'json' }).$type<readonly number[]>().notNull(),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at'),
  maxUses: integer('max_uses'),
  uses: integer('uses').notNull().default(0),
  revokedAt: integer('revoked_at'),
  forGuests: integer('for_guests', { mode: 'boolean' }).notNull().default(false),
  /** To whom it was sent; null for a link that is passed on. */
  email: blob('email', { mode: 'buffer' }),
  declinedAt: integer('declined_at'),
});

export const invitationUses = sqliteTable(
  'invitation_uses',
  {
    invitationId: integer('invitation_id').notNull(),
    accountId: integer('account_id').notNull(),
    usedAt: integer('used_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.invitationId, table.accountId] })],
);

/**
 * Links that sign an account in once: to choose a new password, made by an administrator or sent by e-mail, or on
 * another device.
 */
export const signInLinks = sqliteTable('sign_in_links', {
  tokenIndex: blob('token_index', { mode: 'buffer' }).primaryKey(),
  accountId: integer('account_id').notNull(),
  kind: text('kind', { enum: ['password', 'mail', 'device'] }).notNull(),
  expiresAt: integer('expires_at').notNull(),
});

/** The sessions of each account, for its page of them. */
export const sessionList = sqliteTable('session_list', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  sessionIndex: blob('session_index', { mode: 'buffer' }).notNull().unique(),
  accountId: integer('account_id').notNull(),
  epoch: integer('epoch').notNull(),
  details: blob('details', { mode: 'buffer' }).notNull(),
  startedAt: integer('started_at').notNull(),
  usedAt: integer('used_at').notNull(),
});

/** Authenticator apps; `confirmedAt` is null until a code of it was entered. */
export const authenticators = sqliteTable('authenticators', {
  accountId: integer('account_id').primaryKey(),
  secret: blob('secret', { mode: 'buffer' }).notNull(),
  confirmedAt: integer('confirmed_at'),
  lastStep: integer('last_step').notNull().default(0),
});

/** What a face is compared with, as the engine that made it reads it. */
export const faceTemplates = sqliteTable('face_templates', {
  accountId: integer('account_id').primaryKey(),
  engine: text('engine', { enum: ['local', 'aws'] }).notNull(),
  template: blob('template', { mode: 'buffer' }).notNull(),
  createdAt: integer('created_at').notNull(),
});

/** Keyed hashes of the codes that stand in for the other second steps, each once. */
export const recoveryCodes = sqliteTable('recovery_codes', {
  codeIndex: blob('code_index', { mode: 'buffer' }).primaryKey(),
  accountId: integer('account_id').notNull(),
});

/** What programs sign in with: found by a keyed hash. */
export const apiTokens = sqliteTable('api_tokens', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  accountId: integer('account_id').notNull(),
  tokenIndex: blob('token_index', { mode: 'buffer' }).notNull().unique(),
  kind: text('kind', { enum: ['personal', 'sign-in'] }).notNull(),
  label: blob('label', { mode: 'buffer' }).notNull(),
  scopes: text('scopes').notNull(),
  epoch: integer('epoch').notNull(),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at'),
  usedAt: integer('used_at'),
});

/** Accounts that are being deleted; `done` of `total` messages were looked through. */
export const accountDeletions = sqliteTable('account_deletions', {
  accountId: integer('account_id').primaryKey(),
  tokenIndex: blob('token_index', { mode: 'buffer' }).notNull().unique(),
  messages: text('messages', { enum: ['keep', 'remove'] }).notNull(),
  requestedAt: integer('requested_at').notNull(),
  done: integer('done').notNull().default(0),
  total: integer('total').notNull().default(0),
});

/** Archives of people's own data; the bytes are in the blob store under `blobId`, sealed with `key`. */
export const accountExports = sqliteTable('account_exports', {
  accountId: integer('account_id').primaryKey(),
  blobId: text('blob_id').notNull(),
  key: blob('key', { mode: 'buffer' }).notNull(),
  state: text('state', { enum: ['running', 'ready', 'failed'] }).notNull(),
  /** In bytes. */
  size: integer('size').notNull().default(0),
  done: integer('done').notNull().default(0),
  total: integer('total').notNull().default(0),
  createdAt: integer('created_at').notNull(),
});

/** E-mail addresses that wait for their confirmation. */
export const emailConfirmations = sqliteTable('email_confirmations', {
  tokenIndex: blob('token_index', { mode: 'buffer' }).primaryKey(),
  accountId: integer('account_id').notNull(),
  email: blob('email', { mode: 'buffer' }).notNull(),
  expiresAt: integer('expires_at').notNull(),
});

/** Passkeys; `counter` is the number of uses that the authenticator has counted. */
export const passkeys = sqliteTable('passkeys', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  credentialIndex: blob('credential_index', { mode: 'buffer' }).notNull().unique(),
  accountId: integer('account_id').notNull(),
  details: blob('details', { mode: 'buffer' }).notNull(),
  counter: integer('counter').notNull(),
  createdAt: integer('created_at').notNull(),
  usedAt: integer('used_at'),
});
