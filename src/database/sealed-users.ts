import { hex, sealedColumn } from './sealed-column.ts';
import {
  accountExports,
  accounts,
  apiTokens,
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

/** The sealed columns of the users database: see `sealed-columns.ts`. */
export const SEALED_USERS = {
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
  apiTokens: {
    table: apiTokens,
    columns: {
      label: sealedColumn<{ tokenIndex: Buffer }>(
        'label',
        'api-tokens',
        ({ tokenIndex }) => `api-tokens/${hex(tokenIndex)}`,
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
} as const;
