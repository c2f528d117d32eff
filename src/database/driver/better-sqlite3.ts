import { createRequire } from 'node:module';
import type Sqlite from 'better-sqlite3';
import { missingPackage } from '../../engines/missing-package.ts';

/**
 * Version 13 needs version 10 of Node-API, which Node 20 has not. Version 12 ends a process on Node 24.19 and later, sooner
 * or later: when a statement is collected (github.com/WiseLibs/better-sqlite3/issues/1515).
 */
const NEW = 'better-sqlite3-13';
const NODE_API_OF_NEW = 10;

/** Whether the old one is used where it does not last. */
export const isTooOld = () => !hasNew && Number.parseInt(process.versions.node, 10) >= 24;

const hasNew = Number(process.versions.napi) >= NODE_API_OF_NEW && missingPackage([NEW]) === undefined;

/** The library of this version of Node. Safe cast: what is used here is the same in both. */
export const BetterSqlite: typeof Sqlite = createRequire(import.meta.url)(hasNew ? NEW : 'better-sqlite3');
