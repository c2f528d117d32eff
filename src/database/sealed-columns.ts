import { createCipher } from '../crypto/cipher.ts';
import type { Keyring } from '../crypto/keys.ts';
import { hex, type RowOf, type SealedColumn, sealedColumn } from './sealed-column.ts';
import { SEALED_USERS } from './sealed-users.ts';
import { drafts, files, groups, inboxLines, messages, reports, revisions } from './tables/chat.ts';
import { imports } from './tables/imports.ts';
import { linkImages } from './tables/links.ts';
import { secrets } from './tables/sealing.ts';
import { webhooks } from './tables/webhooks.ts';

type Identified = { id: number };
type OfMessage = { groupId: number; id: string };

/**
 * Every column that holds what people wrote, by table. Sealing, opening and key rotation use this list. A test fails
 * for any column of bytes or text that is neither here nor on its list of exceptions.
 */
export const SEALED = {
  ...SEALED_USERS,
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
      content: sealedColumn<{ groupId: number; seq: number; reporterId: number }>(
        'content',
        'reports',
        ({ groupId, seq, reporterId }) => `reports/${groupId}/${seq}/${reporterId}/content`,
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
  imports: {
    table: imports,
    columns: {
      key: sealedColumn<{ blobId: string }>('key', 'imports', ({ blobId }) => `imports/${blobId}/key`),
      details: sealedColumn<{ blobId: string }>(
        'details',
        'imports',
        ({ blobId }) => `imports/${blobId}/details`,
      ),
    },
  },
  linkImages: {
    table: linkImages,
    columns: {
      image: sealedColumn<{ groupId: number; seq: number }>(
        'image',
        'link-images',
        ({ groupId, seq }) => `link-images/${groupId}/${seq}`,
      ),
    },
  },
  webhooks: {
    table: webhooks,
    columns: {
      details: sealedColumn<{ secretIndex: Buffer }>(
        'details',
        'webhooks',
        ({ secretIndex }) => `webhooks/${hex(secretIndex)}`,
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
