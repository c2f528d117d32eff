import { z } from 'zod';
import {
  choice,
  choiceIfSet,
  isAddress,
  isOrigin,
  isProxy,
  list,
  listInJson,
  notAnAddress,
  pattern,
  type Setting,
  whole,
} from './setting-schemas.ts';
import { STORAGE_VARIABLES } from './storage-settings.ts';

// The variables of the environment. With `flags.ts` this is the one table of settings: the type of the configuration, its
// parsing, --help and the README's table come from it.

const MINUTE_MS = 60_000;
/** About a quarter of a second on a small server of today. */
export const BCRYPT_COST = 12;

export const SPEECH_ENGINES = ['auto', 'vosk', 'sherpa', 'aws', 'callback', 'off'] as const;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const VARIABLES = {
  adminUsername: {
    name: 'ADMIN_USERNAME',
    fallback: 'the first account',
    meaning: 'the account that is an administrator',
    schema: z.string().optional(),
  },
  registration: {
    name: 'REGISTRATION',
    fallback: 'what an administrator sets, and open until then',
    meaning: 'who may make an account: open, invite or closed',
    schema: choiceIfSet('REGISTRATION', ['open', 'invite', 'closed']),
  },
  /** Whether people see nobody but the administrators, and nothing but their private line to them. */
  inboxOnly: {
    name: 'INBOX_ONLY',
    fallback: 'off',
    meaning: 'on: people talk to the administrators only, one to one, and see nobody else',
    schema: choice('INBOX_ONLY', ['on', 'off'], 'off').transform((word) => word === 'on'),
  },
  showAddresses: {
    name: 'SHOW_ADDRESSES',
    fallback: 'everyone',
    meaning: 'who sees the addresses of active people: everyone, admins or nobody',
    schema: choice('SHOW_ADDRESSES', ['everyone', 'admins', 'nobody'], 'everyone'),
  },
  /** bcrypt's work factor of passwords. OWASP's Password Storage Cheat Sheet wants at least 10. */
  passwordCost: {
    name: 'PASSWORD_COST',
    fallback: String(BCRYPT_COST),
    meaning: 'the work of checking a password, 10 to 15: each step doubles the time that signing in takes',
    schema: choice('PASSWORD_COST', ['10', '11', '12', '13', '14', '15'], `${BCRYPT_COST}`).transform(Number),
  },
  /** How long a message can be edited or removed by its author, in milliseconds; undefined is for ever. */
  editLimitMs: {
    name: 'EDIT_LIMIT_MINUTES',
    fallback: 'none',
    meaning: 'how long people can edit and remove what they wrote, in minutes',
    schema: whole('EDIT_LIMIT_MINUTES', 'minutes', MINUTE_MS),
  },
  ...STORAGE_VARIABLES,
  /** False keeps no search index. */
  searchIndex: {
    name: 'SEARCH_INDEX',
    fallback: 'on',
    meaning: 'off keeps no index, so that nothing is found',
    schema: choice('SEARCH_INDEX', ['on', 'off'], 'on').transform((word) => word === 'on'),
  },
  /** What makes text of voice messages; `engines/speech/engine.ts` says what each of these is. */
  speechEngine: {
    name: 'SPEECH_ENGINE',
    fallback: 'auto',
    meaning: 'what makes text of voice messages: auto, vosk, sherpa, aws, callback or off',
    schema: choice('SPEECH_ENGINE', SPEECH_ENGINES, 'auto'),
  },
  speechModelDir: {
    name: 'SPEECH_MODEL_DIR',
    fallback: 'the one of the packages',
    meaning: 'the folder of a model for vosk or sherpa; `npm run speech-model` fetches one',
    schema: z.string().optional(),
  },
  speechLanguage: {
    name: 'SPEECH_LANGUAGE',
    fallback: 'en-US',
    meaning: 'what is spoken, for sherpa, aws and callback',
    schema: pattern('SPEECH_LANGUAGE', /^[a-z]{2,3}(-\w+)*$/, 'a language such as en-US').default('en-US'),
  },
  speechBucket: {
    name: 'SPEECH_BUCKET',
    fallback: 'none',
    meaning: 'the S3 bucket for aws and callback; region and keys as the AWS SDK reads them',
    schema: pattern('SPEECH_BUCKET', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket').optional(),
  },
  /** The secret that an external function has to present when it delivers a transcript. */
  sharedSecret: {
    name: 'SHARED_SECRET',
    fallback: 'none',
    meaning: 'with callback: what the function that transcribes shows; at least 16 characters',
    schema: pattern('SHARED_SECRET', /^.{16,}$/s, 'at least 16 characters').optional(),
  },
  /** What compares faces where people sign in; `engines/faces/choose.ts` says what each of these needs. */
  faceEngine: {
    name: 'FACE_ENGINE',
    fallback: 'local',
    meaning: 'what compares faces as a second step of signing in: local, aws or off',
    schema: choice('FACE_ENGINE', ['local', 'aws', 'off'], 'local'),
  },
  /** How long the token of a program that signs in with name and password is valid. */
  accessTokenMinutes: {
    name: 'ACCESS_TOKEN_EXPIRE_MINUTES',
    fallback: '120',
    meaning: 'how long the token of a program that signs in is valid, in minutes',
    schema: whole('ACCESS_TOKEN_EXPIRE_MINUTES', 'minutes', 1).transform((minutes) => minutes ?? 120),
  },
  /** Origins of pages, with their schemes. */
  corsOrigins: {
    name: 'CORS_ALLOW_ORIGINS',
    fallback: 'none',
    meaning: 'pages elsewhere that may call the API: origins, comma-separated or as a JSON list',
    schema: z.preprocess(
      listInJson,
      list('CORS_ALLOW_ORIGINS', isOrigin, 'origins such as https://app.example, or a JSON list of them'),
    ),
  },
  /** Where the operators of push services can reach the operator of this Hearth. */
  pushContact: {
    name: 'PUSH_CONTACT',
    fallback: 'mailto:hearth@example.org',
    meaning: 'how push services reach whoever runs this: mailto: or https:',
    schema: pattern(
      'PUSH_CONTACT',
      /^(mailto:\S+@\S+|https:\/\/\S+)$/,
      'mailto:you@your.domain or https://…',
    ).default('mailto:hearth@example.org'),
  },
  /** Hosts, with their ports. */
  pushServices: {
    name: 'PUSH_SERVICES',
    fallback: 'none',
    meaning: 'hosts that take push messages beside those of browser vendors, comma-separated',
    schema: list('PUSH_SERVICES', (item) => !/[\s/]/.test(item), 'hosts such as push.example:8443'),
  },
  /** The mail server, such as smtps://name:password@mail.example.org. */
  smtpUrl: {
    name: 'SMTP_URL',
    fallback: 'none',
    meaning: 'the mail server: smtp:// or smtps://, with name and password; needs ORIGINS',
    schema: pattern('SMTP_URL', /^smtps?:\/\/\S+$/, 'smtp://… or smtps://…')
      .refine(isAddress, notAnAddress('SMTP_URL'))
      .optional(),
  },
  mailFrom: {
    name: 'MAIL_FROM',
    fallback: 'Hearth <hearth@localhost>',
    meaning: 'the sender of mails',
    schema: z.string().default('Hearth <hearth@localhost>'),
  },
  /** One or more keys, comma-separated; the first seals, all of them open. */
  encryptionKey: {
    name: 'ENCRYPTION_KEY',
    fallback: 'made in data/keys',
    meaning:
      '32 bytes as 64 hex digits or base64; a comma-separated list opens with all, seals with the first',
    schema: z.string().optional(),
  },
  sessionSecret: {
    name: 'SESSION_SECRET',
    fallback: 'made at first start',
    meaning: 'signs session cookies; at least 16 characters',
    schema: pattern('SESSION_SECRET', /^.{16,}$/s, 'at least 16 characters').optional(),
  },
  origins: {
    name: 'ORIGINS',
    fallback: 'none',
    meaning:
      'where people open Hearth beside this machine’s own names, such as https://chat.example, comma-separated',
    schema: list('ORIGINS', isOrigin, 'origins such as https://chat.example'),
  },
  trustedProxies: {
    name: 'TRUSTED_PROXIES',
    fallback: 'none',
    meaning:
      'whose X-Forwarded-For, -Proto and -Host are believed: addresses, CIDR ranges, loopback, linklocal or uniquelocal; comma-separated',
    schema: list('TRUSTED_PROXIES', isProxy, 'addresses, CIDR ranges, loopback, linklocal or uniquelocal'),
  },
  /** What a program shows that reads `/metrics`; undefined lets those read it who ask from this machine. */
  metricsToken: {
    name: 'METRICS_TOKEN',
    fallback: 'whoever asks from this machine',
    meaning: 'what shows who may read /metrics, as a bearer token; at least 16 characters',
    schema: pattern('METRICS_TOKEN', /^.{16,}$/s, 'at least 16 characters').optional(),
  },
  logLevel: {
    name: 'LOG_LEVEL',
    fallback: 'info',
    meaning: 'fatal, error, warn, info, debug, trace or silent',
    schema: choice('LOG_LEVEL', LOG_LEVELS, 'info'),
  },
  /** False lifts the rates, never the sizes. */
  rateLimits: {
    name: 'RATE_LIMITS',
    fallback: 'on',
    meaning: 'off lifts the rates, never the sizes',
    schema: choice('RATE_LIMITS', ['on', 'off'], 'on').transform((word) => word === 'on'),
  },
  assetVersion: {
    name: 'ASSET_VERSION',
    fallback: 'a hash of the static files',
    meaning: 'pins the version in the addresses of static files',
    schema: pattern('ASSET_VERSION', /^[\w.-]{1,64}$/, '1 to 64 letters, digits, ".", "_" or "-"').optional(),
  },
} as const satisfies Record<string, Setting>;
