import { z } from 'zod';
import { isAddress, notAnAddress, pattern, type Setting, whole } from './setting-schemas.ts';

// The variables of `settings.ts` that say where what people write and send is stored, and how much of it.

const MEGABYTE = 1024 * 1024;

export const STORAGE_VARIABLES = {
  /** A PostgreSQL database; undefined is SQLite in the data folder. */
  databaseUrl: {
    name: 'DATABASE_URL',
    fallback: 'SQLite in the data folder',
    meaning: 'the PostgreSQL database that holds everything: postgres://name:password@host/database',
    schema: pattern('DATABASE_URL', /^postgres(ql)?:\/\/\S+$/, 'postgres://name:password@host/database')
      .refine(isAddress, notAnAddress('DATABASE_URL'))
      .optional(),
  },
  /** What the processes of one Hearth have in common beside PostgreSQL; undefined is one process. */
  redisUrl: {
    name: 'REDIS_URL',
    fallback: 'none',
    meaning: 'Redis, where several processes serve one Hearth: redis://host; needs DATABASE_URL',
    schema: pattern('REDIS_URL', /^rediss?:\/\/\S+$/, 'redis://host or rediss://host')
      .refine(isAddress, notAnAddress('REDIS_URL'))
      .optional(),
  },
  filesFolder: {
    name: 'FILES_FOLDER',
    fallback: 'media in the data folder',
    meaning: 'the folder of uploaded files, which several processes share; needs DATABASE_URL',
    schema: z.string().optional(),
  },
  /** An S3-compatible bucket; undefined is a folder. */
  filesBucket: {
    name: 'FILES_BUCKET',
    fallback: 'none',
    meaning:
      'the S3 bucket of uploaded files, instead of a folder; region and keys as the AWS SDK reads them',
    schema: pattern('FILES_BUCKET', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket').optional(),
  },
  filesEndpoint: {
    name: 'FILES_ENDPOINT',
    fallback: 'Amazon S3',
    meaning:
      'where FILES_BUCKET is, for storage that speaks S3 elsewhere, such as https://minio.example:9000',
    schema: pattern('FILES_ENDPOINT', /^https?:\/\/\S+$/, 'http://… or https://…').optional(),
  },
  /** In bytes, as the next two; undefined is without limit. */
  fileLimit: {
    name: 'FILE_LIMIT_MB',
    fallback: '512',
    meaning: 'how large one file may be',
    schema: whole('FILE_LIMIT_MB', 'megabytes', MEGABYTE).transform((bytes) => bytes ?? 512 * MEGABYTE),
  },
  personLimit: {
    name: 'PERSON_LIMIT_MB',
    fallback: 'none',
    meaning: 'how much the files of one person may take',
    schema: whole('PERSON_LIMIT_MB', 'megabytes', MEGABYTE),
  },
  diskLimit: {
    name: 'DISK_LIMIT_MB',
    fallback: 'none',
    meaning: 'how much all files may take; 200 MB of the disk stay free',
    schema: whole('DISK_LIMIT_MB', 'megabytes', MEGABYTE),
  },
} as const satisfies Record<string, Setting>;
