/** The last time that a Date can be, in milliseconds (ECMA-262, 21.4.1.1). */
export const MAX_TIME = 8.64e15;

/** Somebody, or a conversation, in an archive. `key` is how the archive names them. */
export type Named = Readonly<{ key: string; name: string; messages: number }>;

/** A person of an archive. `username` where it says one. */
export type ImportedPerson = Named & Readonly<{ username?: string }>;

/** What an archive has in it. Times are milliseconds, UTC. */
export type Outline = Readonly<{
  kind: ImportKind;
  conversations: readonly Named[];
  people: readonly ImportedPerson[];
  first: number;
  last: number;
  /** Lines of no person, such as "Ada added Joe", which are left out. */
  notices: number;
  /** Whether days and months could be the other way round. */
  isAmbiguous: boolean;
}>;

export const IMPORT_KINDS = ['whatsapp', 'slack', 'mattermost', 'hearth'] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];

export type ImportedFile = Readonly<{
  name: string;
  /** Its path in the archive; undefined where that names it and does not have it. */
  entry: string | undefined;
}>;

/** A message of an archive. */
export type ImportedMessage = Readonly<{
  /** Unique in its conversation, and the same in every archive that has the message. */
  key: string;
  conversation: string;
  author: string;
  /** Milliseconds, UTC. */
  at: number;
  text: string;
  files: readonly ImportedFile[];
  /** The key of the message that it answers, which stands before it. */
  replyTo?: string;
  /** That of the first message of its thread, where it is not the one it answers. */
  thread?: string;
  /** The id that it has in the Hearth that wrote the archive. */
  id?: string;
}>;

/** How an archive is to be read. */
export type ReadingChoices = Readonly<{
  /** The zone of the clock that wrote its times, where it wrote no other. */
  zone: string;
  /** In which order dates are; undefined is as they seem to be. */
  dates?: DateOrder | undefined;
}>;

export const DATE_ORDERS = ['dmy', 'mdy', 'ymd'] as const;
export type DateOrder = (typeof DATE_ORDERS)[number];

/** The messages of an archive, conversation by conversation, the oldest first. */
export type Reading = AsyncIterable<ImportedMessage> | Iterable<ImportedMessage>;
