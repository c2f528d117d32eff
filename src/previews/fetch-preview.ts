import { drawPreview } from '../files/draw.ts';
import type { LinkPreview } from '../messages/message.ts';
import { type Answer, ask, OutgoingError } from '../outgoing/request.ts';
import { decodePage, readPage } from './read-page.ts';

const TIMEOUT_MS = 8_000;
/** For the page, its redirects and its picture together. */
const TOTAL_TIMEOUT_MS = 15_000;
const MAX_PAGE_BYTES = 512 * 1024;
const MAX_IMAGE_BYTES = 5 * 1024 * 1024;
const MAX_REDIRECTS = 4;
/** Sites name what they give to such a program. */
const HEADERS = { 'user-agent': 'Hearth (link preview)', accept: 'text/html,application/xhtml+xml' };

/** A preview, and its picture as WebP. */
export type Fetched = Readonly<{ preview: LinkPreview; image: Buffer | undefined }>;

/**
 * Asks the site of a link for its title, description and picture.
 * @param allowed private addresses that may be reached
 * @returns undefined where there is nothing to show
 */
export async function fetchPreview(link: string, allowed: readonly string[]): Promise<Fetched | undefined> {
  const until = Date.now() + TOTAL_TIMEOUT_MS;
  const page = await get(new URL(link), MAX_PAGE_BYTES, allowed, until);
  const type = String(page?.answer.headers['content-type'] ?? '');
  if (!page || !/^(?:text\/html|application\/xhtml\+xml)\b/i.test(type)) return undefined;
  const {
    title,
    description,
    site,
    image: address,
  } = readPage(decodePage(page.answer.body, type), /xhtml/i.test(type));
  if (title === '') return undefined;
  const image = address === undefined ? undefined : await imageAt(address, page.url, allowed, until);
  const size = image && { width: image.width, height: image.height };
  return {
    preview: { url: link, title, description, site: site || page.url.hostname, image: size ?? null },
    image: image?.content,
  };
}

async function imageAt(address: string, base: URL, allowed: readonly string[], until: number) {
  if (!URL.canParse(address, base)) return undefined;
  const found = await get(new URL(address, base), MAX_IMAGE_BYTES, allowed, until);
  return found && !found.answer.isCut ? drawPreview(found.answer.body) : undefined;
}

/** Follows redirects, each checked as the first address is. Undefined where there is no answer of use. */
async function get(
  first: URL,
  maxBytes: number,
  allowed: readonly string[],
  until: number,
): Promise<{ url: URL; answer: Answer } | undefined> {
  let url = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const timeoutMs = Math.min(TIMEOUT_MS, until - Date.now());
    if (timeoutMs <= 0) return undefined;
    let answer: Answer;
    try {
      answer = await ask(url, { method: 'GET', headers: HEADERS, timeoutMs, maxBytes, allowed });
    } catch (error) {
      if (error instanceof OutgoingError) return undefined;
      throw error;
    }
    if (answer.status === 200) return { url, answer };
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status > 399 || location === undefined) return undefined;
    if (!URL.canParse(location, url)) return undefined;
    url = new URL(location, url);
  }
  return undefined;
}
