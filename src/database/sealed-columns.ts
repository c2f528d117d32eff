import { createCipher } from '../crypto/cipher.ts';
import type { Keyring } from '../crypto/keys.ts';
import { hex, type RowOf, type SealedColumn, sealedColumn } from './sealed-column.ts';
import { drafts, files, groups, inboxLines, messages, reports, revisions } from './tables/chat.ts';
import { secrets } from './tables/sealing.ts';
import {
  accountExports,
  accounts,
  auditLog,
  authenticators,
  emailConfirmations,
  faceTemplates,
  formerNames,
  invitations,
  passkeys,
  pushSubscriptions,
  sessionList,
} from './tables/users.ts';

type Identified = { id: number };
type OfMessage = { groupId: number; id: string };

/**
 * Every column that holds what people wrote, by table. Sealing, opening and key rotation use this list. A test fails
 * for any column of bytes or text that is neither here nor on its list of exceptions.
 */
export const SEALED = {
  accounts: {
    table: accounts,
    columns: {
      name: sealedColumn<{ nameIndex: Buffer }>(
        'name',
        'accounts',
        ({ nameIndex }) => `accounts/${hex(nameIndex)}`,
      ),
      displayName: sealedColumn<Identified>(
        'displayName',
        'accounts',
        ({ id }) => `accounts/${id}/display-name`,
      ),
      email: sealedColumn<Identified>('email', 'accounts', ({ id }) => `accounts/${id}/email`),
      line: sealedColumn<Identified>('line', 'accounts', ({ id }) => `accounts/${id}/line`),
      picture: sealedColumn<Identified>('picture', 'accounts', ({ id }) => `accounts/${id}/picture`),
    },
  },
  accountExports: {
    table: accountExports,
    columns: {
      key: sealedColumn<{ accountId: number; blobId: string }>(
        'key',
        'exports',
        ({ accountId, blobId }) => `exports/${accountId}/${blobId}`,
      ),
    },
  },
  emailConfirmations: {
    table: emailConfirmations,
    columns: {
      email: sealedColumn<{ tokenIndex: Buffer }>(
        'email',
        'accounts',
        ({ tokenIndex }) => `email-confirmations/${hex(tokenIndex)}`,
      ),
    },
  },
  formerNames: {
    table: formerNames,
    columns: {
      name: sealedColumn<{ nameIndex: Buffer }>(
        'name',
        'accounts',
        ({ nameIndex }) => `former-names/${hex(nameIndex)}`,
      ),
    },
  },
  pushSubscriptions: {
    table: pushSubscriptions,
    columns: {
      subscription: sealedColumn<{ endpointIndex: Buffer }>(
        'subscription',
        'push',
        ({ endpointIndex }) => `push/${hex(endpointIndex)}`,
      ),
    },
  },
  invitations: {
    table: invitations,
    columns: {
      code: sealedColumn<{ codeIndex: Buffer }>(
        'code',
        'invitations',
        ({ codeIndex }) => `invitations/${hex(codeIndex)}`,
      ),
      email: sealedColumn<{ codeIndex: Buffer }>(
        'email',
        'invitations',
        ({ codeIndex }) => `invitations/${hex(codeIndex)}/email`,
      ),
    },
  },
  authenticators: {
    table: authenticators,
    columns: {
      secret: sealedColumn<{ accountId: number }>(
        'secret',
        'second-factors',
        ({ accountId }) => `authenticators/${accountId}`,
      ),
    },
  },
  faceTemplates: {
    table: faceTemplates,
    columns: {
      template: sealedColumn<{ accountId: number }>(
        'template',
        'second-factors',
        ({ accountId }) => `face-templates/${accountId}`,
      ),
    },
  },
  passkeys: {
    table: passkeys,
    columns: {
      details: sealedColumn<{ credentialIndex: Buffer }>(
        'details',
        'second-factors',
        ({ credentialIndex }) => `passkeys/${hex(credentialIndex)}`,
      ),
    },
  },
  sessionList: {
    table: sessionList,
    columns: {
      details: sealedColumn<{ sessionIndex: Buffer }>(
        'details',
        'sessions',
        ({ sessionIndex }) => `sessions/${hex(sessionIndex)}`,
      ),
    },
  },
  auditLog: {
    table: auditLog,
    columns: { details: sealedColumn<Identified>('details', 'audit', ({ id }) => `audit/${id}`) },
  },
  groups: {
    table: groups,
    columns: {
      name: sealedColumn<{ nameIndex: Buffer }>(
        'name',
        'groups',
        ({ nameIndex }) => `groups/${hex(nameIndex)}`,
      ),
      topic: sealedColumn<Identified>('topic', 'groups', ({ id }) => `groups/${id}/topic`),
    },
  },
  messages: {
    table: messages,
    columns: {
      body: sealedColumn<OfMessage>('body', 'messages', ({ groupId, id }) => `messages/${groupId}/${id}`),
      metadata: sealedColumn<OfMessage>(
        'metadata',
        'messages',
        ({ groupId, id }) => `extras/${groupId}/${id}`,
      ),
    },
  },
  revisions: {
    table: revisions,
    columns: {
      body: sealedColumn<OfMessage & { change: number }>(
        'body',
        'messages',
        ({ groupId, id, change }) => `revisions/${groupId}/${id}/${change}`,
      ),
    },
  },
  files: {
    table: files,
    columns: { metadata: sealedColumn<{ id: string }>('metadata', 'files', ({ id }) => `files/${id}`) },
  },
  reports: {
    table: reports,
    columns: {
      reason: sealedColumn<{ groupId: number; seq: number; reporterId: number }>(
        'reason',
        'reports',
        ({ groupId, seq, reporterId }) => `reports/${groupId}/${seq}/${reporterId}`,
      ),
    },
  },
  inboxLines: {
    table: inboxLines,
    columns: {
      note: sealedColumn<{ groupId: number }>('note', 'inbox', ({ groupId }) => `inbox/${groupId}/note`),
    },
  },
  drafts: {
    table: drafts,
    columns: {
      body: sealedColumn<{ accountId: number; groupId: number; thread: number }>(
        'body',
        'drafts',
        ({ accountId, groupId, thread }) => `drafts/${accountId}/${groupId}/${thread}`,
      ),
    },
  },
  secrets: {
    table: secrets,
    columns: { value: sealedColumn<{ name: string }>('value', 'secrets', ({ name }) => `secrets/${name}`) },
  },
} as const;

export type Sealer = {
  seal<Column extends SealedColumn<never>>(column: Column, row: RowOf<Column>, text: string): Buffer;
  /** @throws Error when the value was moved to another row or changed */
  open<Column extends SealedColumn<never>>(column: Column, row: RowOf<Column>, value: Buffer): string;
  /** The value sealed with the current key; undefined where it is already. */
  reseal<Column extends SealedColumn<never>>(
    column: Column,
    row: RowOf<Column>,
    value: Buffer,
  ): Buffer | undefined;
};

export function createSealer(keyring: Keyring): Sealer {
  const ciphers = new Map<string, ReturnType<typeof createCipher>>();
  for (const { columns } of Object.values(SEALED))
    for (const { purpose } of Object.values(columns))
      if (!ciphers.has(purpose)) ciphers.set(purpose, createCipher(keyring, purpose));

  function cipherOf({ purpose }: SealedColumn<never>) {
    const cipher = ciphers.get(purpose);
    if (!cipher) throw new Error(`No column is sealed for ${purpose}.`);
    return cipher;
  }

  return {
    seal: (column, row, text) => cipherOf(column).seal(column.aad(row as never), text),
    open: (column, row, value) => cipherOf(column).open(column.aad(row as never), value),
    reseal(column, row, value) {
      const cipher = cipherOf(column);
      if (cipher.isCurrent(value)) return undefined;
      const aad = column.aad(row as never);
      return cipher.seal(aad, cipher.open(aad, value));
    },
  };
}
