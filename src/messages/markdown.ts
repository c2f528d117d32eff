import { domainToASCII } from 'node:url';
import { LinkifyIt } from 'linkify-it';
import MarkdownIt, { type RendererRule, type StateCore, type StateInline } from 'markdown-it';
import { isReadableHost, LINKED_DOMAINS } from './domains.ts';
import { type Mentions, markMentions, textOutsideLinks } from './mark-mentions.ts';
import { isWordCharacter, MENTION } from './names.ts';

export type { Mentioned, Mentions } from './mark-mentions.ts';

const LINKED = /^(?:https?|mailto):/i;

/** Colours a block of code. @returns HTML; empty where the code is to be shown as it is */
export type Highlight = (code: string, language: string) => string;

type Environment = { mentions: Mentions; highlight?: Highlight | undefined };

const NO_MENTIONS: Mentions = new Map();

/**
 * Renders Markdown for chat: emphasis, code, lists, quotes, links. Line breaks are kept. Raw HTML and entities are
 * shown as text; headings, tables and external images are not supported. A mark that formats nothing stays as typed.
 */
export function renderMarkdown(text: string, mentions: Mentions, highlight?: Highlight): string {
  return markdown.render(text, { mentions, highlight } satisfies Environment).trim();
}

/** The names that a text calls with an @, in its order: those in code, links and behind a backslash are left out. */
export function mentionedNames(text: string): string[] {
  const names: string[] = [];
  for (const block of markdown.parse(text, { mentions: NO_MENTIONS }))
    for (const piece of textOutsideLinks(block.children ?? []))
      for (const [, name = ''] of piece.content.matchAll(MENTION)) names.push(name);
  return names;
}

/** What a text says without its marks, on one line: for quotes, lists and notifications. */
export function plainText(text: string): string {
  const words: string[] = [];
  for (const block of markdown.parse(text, { mentions: NO_MENTIONS })) {
    if (block.type === 'fence') words.push(block.content);
    for (const { content, type } of block.children ?? [])
      words.push(type === 'softbreak' || type === 'hardbreak' ? ' ' : content);
    words.push(' ');
  }
  return words.join('').replace(/\s+/g, ' ').trim();
}

/** The text as it was typed, for when Markdown would take too long. */
export function renderPlain(text: string): string {
  const { escapeHtml } = markdown.utils;
  return `<p>${escapeHtml(text).replaceAll('\n', '<br>')}</p>`;
}

/** As far as addresses without https:// are looked for: in the worst text that takes with the square of its length. */
const LOOKED_THROUGH_CHARACTERS = 2_000;

/** Whether an address in the text becomes a link. */
export function hasLink(text: string): boolean {
  return /\bhttps?:\/\/\S/i.test(text) || markdown.linkify.test(text.slice(0, LOOKED_THROUGH_CHARACTERS));
}

function configured() {
  const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true }).disable([
    'heading',
    'lheading',
    'hr',
    'table',
    'reference',
    'image',
    'code',
    'html_block',
    'html_inline',
    'entity',
    'escape',
  ]);
  markdown.linkify = new ChatLinks({ fuzzyLink: true, fuzzyEmail: false }).tlds([...LINKED_DOMAINS]);
  markdown.validateLink = (address) => LINKED.test(address);
  const { normalizeLinkText } = markdown;
  markdown.normalizeLinkText = (address) => withReadableHost(address, normalizeLinkText(address));
  markdown.core.ruler.before('block', 'quotes_end_with_their_line', endQuotes);
  markdown.core.ruler.push('mentions', markMentions);
  markdown.core.ruler.push('direction', markDirection);
  markdown.inline.ruler.before('emphasis', 'marks_within_words', keepMarksWithinWords);
  markdown.inline.ruler.before('backticks', 'backslash', backslash);
  markdown.renderer.rules.fence = renderFence;
  const { link_open: before } = markdown.renderer.rules;
  markdown.renderer.rules.link_open = (tokens, index, options, environment, renderer) => {
    tokens[index]?.attrSet('target', '_blank');
    // Send no referrer to the other site.
    tokens[index]?.attrSet('rel', 'noopener noreferrer nofollow');
    return (
      before?.(tokens, index, options, environment, renderer) ?? renderer.renderToken(tokens, index, options)
    );
  };
  markdown.renderer.rules.softbreak = () => '<br>';
  return markdown;
}

/** Excludes trailing Markdown marks and colons from links. */
class ChatLinks extends LinkifyIt {
  override match(text: string) {
    return super.match(text)?.map(shortened) ?? null;
  }

  override matchAtStart(text: string) {
    const match = super.matchAtStart(text);
    return match && shortened(match);
  }
}

function shortened<Match extends { url: string; text: string; lastIndex: number; raw: string }>(
  match: Match,
): Match {
  const excess = /(?:[*_:]|~~)+$/.exec(match.text)?.[0].length ?? 0;
  if (excess > 0) {
    match.text = match.text.slice(0, -excess);
    match.url = match.url.slice(0, -excess);
    match.raw = match.raw.slice(0, -excess);
    match.lastIndex -= excess;
  }
  return match;
}

/** Shows a host that could be confused with another one in Punycode (UTS 39, mixed scripts). */
function withReadableHost(address: string, text: string): string {
  const [, before = '', host = '', after = ''] =
    /^([a-z]+:\/\/(?:[^/?#@]*@)?)([^/?#:]+)(.*)$/is.exec(text) ?? [];
  if (host === '' || isReadableHost(host)) return text;
  return `${before}${domainToASCII(host) || host}${after}` || address;
}

const DIRECTED = ['bullet_list_open', 'ordered_list_open', 'blockquote_open'];
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** Marks and rules stand at the side at which the words of a list or a quote begin. */
function markDirection({ tokens }: StateCore): void {
  for (const token of tokens) if (DIRECTED.includes(token.type)) token.attrSet('dir', 'auto');
}

/** Ends a quote at the first line without `>`: CommonMark would continue its paragraph (5.1, laziness). */
function endQuotes(state: StateCore): void {
  if (!state.src.includes('>')) return;
  const lines: string[] = [];
  let fence = '';
  let wasQuote = false;
  for (const line of state.src.split('\n')) {
    const [, mark = ''] = FENCE.exec(line) ?? [];
    const isQuote = fence === '' && /^ {0,3}>/.test(line);
    if (wasQuote && !isQuote && line.trim() !== '') lines.push('');
    lines.push(line);
    if (fence === '') fence = mark;
    else if (mark.startsWith(fence)) fence = '';
    wasQuote = isQuote;
  }
  state.src = lines.join('\n');
}

/** `__init__` and `2*3*4` are names and sums, not emphasis. */
function keepMarksWithinWords(state: StateInline, silent: boolean): boolean {
  const mark = state.src[state.pos];
  if (mark !== '_' && mark !== '*') return false;
  let end = state.pos + 1;
  while (state.src[end] === mark) end += 1;
  const length = end - state.pos;
  const isWithinWord =
    length === 1 && isWordCharacter(state.src[state.pos - 1]) && isWordCharacter(state.src[end]);
  if (mark === '_' ? length === 1 : !isWithinWord) return false;
  if (!silent) state.pending += state.src.slice(state.pos, end);
  state.pos = end;
  return true;
}

/** Removes a backslash only where it escapes a mark that would format; in paths and emoticons it stays. */
function backslash(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  if (src[pos] !== '\\') return false;
  const mark = src[pos + 1] ?? '';
  if (mark === '_' || mark === '\\') {
    if (!silent) state.pending += src.slice(pos, pos + 2);
    state.pos = pos + 2;
    return true;
  }
  if (!wouldAct(state, mark)) return false;
  if (!silent) {
    // A token of another type than text, so that `markMentions` ignores it.
    const token = state.push('html_inline', '', 0);
    token.content = state.md.utils.escapeHtml(mark);
  }
  state.pos = pos + 2;
  return true;
}

function wouldAct({ src, pos }: StateInline, mark: string): boolean {
  const at = pos + 1;
  if (mark === '@' || mark === '＠') return !isWordCharacter(src[pos - 1]) && isWordCharacter(src[at + 1]);
  if (mark === '*' || mark === '`' || mark === '~')
    return src.indexOf(mark) < at || src.lastIndexOf(mark) > at;
  if (mark === '[') return src.lastIndexOf('](') > at;
  const isFirst = pos === 0 || src[pos - 1] === '\n';
  return isFirst && (mark === '>' || mark === '-' || mark === '+');
}

/** A code block, highlighted where a highlighter is given. */
const renderFence: RendererRule = (tokens, index, _options, environment) => {
  const { content = '', info = '' } = tokens[index] ?? {};
  const { escapeHtml } = markdown.utils;
  const language = info.trim().split(/\s+/)[0] ?? '';
  const { highlight } = environment as Environment;
  const coloured = language === '' ? '' : highlight?.(content, language);
  const name = language === '' ? '' : ` class="language-${escapeHtml(language)}"`;
  return `<pre><code${name}>${coloured || escapeHtml(content)}</code></pre>\n`;
};

// Last, since it needs all of the above.
const markdown = configured();
