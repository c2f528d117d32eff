import { Parser } from 'htmlparser2';

/** What a page says of itself. `image` is an address. */
export type PageWords = Readonly<{
  title: string;
  description: string;
  site: string;
  image: string | undefined;
}>;

const TITLE_CHARACTERS = 200;
const DESCRIPTION_CHARACTERS = 300;
const SITE_CHARACTERS = 60;
/** In the order in which they count: Open Graph (ogp.me), Twitter's cards, and what HTML itself has. */
const FIELDS = {
  title: ['og:title', 'twitter:title', 'title'],
  description: ['og:description', 'twitter:description', 'description'],
  site: ['og:site_name', 'application-name'],
  image: ['og:image:secure_url', 'og:image:url', 'og:image', 'twitter:image'],
} as const;
/** Controls, and marks that turn the direction of a text around. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;

/** Reads the head of an HTML page. @param html may be cut off anywhere. @param isXml whether it is XHTML, in which any element may be empty */
export function readPage(html: string, isXml = false): PageWords {
  const values = new Map<string, string>();
  let title: string | undefined;
  let isInTitle = false;
  const parser = new Parser(
    {
      onopentag(name, { property, name: named, content }) {
        if (name === 'title' && title === undefined) isInTitle = true;
        const key = (property ?? named ?? '').toLowerCase();
        if (name === 'meta' && content !== undefined && content.trim() !== '' && !values.has(key))
          values.set(key, content);
      },
      ontext(text) {
        if (isInTitle) title = (title ?? '') + text;
      },
      onclosetag(name) {
        if (name === 'title') isInTitle = false;
      },
    },
    { decodeEntities: true, lowerCaseTags: true, recognizeSelfClosing: isXml },
  );
  parser.end(html);
  if (title !== undefined) values.set('title', title);
  const first = (names: readonly string[]) => names.map((name) => values.get(name)).find((value) => value);
  return {
    title: inLine(first(FIELDS.title), TITLE_CHARACTERS),
    description: inLine(first(FIELDS.description), DESCRIPTION_CHARACTERS),
    site: inLine(first(FIELDS.site), SITE_CHARACTERS),
    image: first(FIELDS.image)?.trim(),
  };
}

/** The text of an answer, in the encoding that its first two bytes, its header or its first kilobyte name; UTF-8 otherwise. */
export function decodePage(body: Buffer, contentType: string): string {
  const head = body.subarray(0, 1_024).toString('latin1');
  const mark = head.startsWith('\xff\xfe')
    ? 'utf-16le'
    : head.startsWith('\xfe\xff')
      ? 'utf-16be'
      : undefined;
  const named = (/charset=["']?([\w-]+)/i.exec(contentType) ?? /charset=["']?([\w-]+)/i.exec(head))?.[1];
  try {
    return new TextDecoder(mark ?? named ?? 'utf-8').decode(body);
  } catch {
    // An encoding that nobody knows.
    return new TextDecoder().decode(body);
  }
}

function inLine(text: string | undefined, most: number): string {
  const line = (text ?? '').replace(UNPRINTABLE, ' ').replace(/\s+/g, ' ').trim().toWellFormed();
  const characters = [...line];
  return characters.length <= most
    ? line
    : `${characters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`;
}
