import hljs from 'highlight.js/lib/common';
import { LinkifyIt } from 'linkify-it';
import MarkdownIt, { type StateCore, type Token } from 'markdown-it';
import { MENTION, spellings } from './mentions.ts';

/** Code longer than this is shown as it is: colouring it would hold everyone up. */
const HIGHLIGHTED_CHARACTERS = 4_000;
const LINKED = /^(?:https?|mailto):/i;

/** @param mentions the names that are members', in lower case → their account; `all` → undefined */
export type RenderMarkdown = (text: string, mentions: ReadonlyMap<string, number | undefined>) => string;

const NOBODY: ReadonlyMap<string, undefined> = new Map();
const markdown = configured();

/**
 * Markdown as people use it in chats: emphasis, code, lists, quotes, links. A line break is a line break. Raw HTML is
 * text; headings, tables and pictures from elsewhere have no place in a conversation.
 */
export function createMarkdown(): RenderMarkdown {
  return (text, mentions) => markdown.render(text, { mentions }).trim();
}

/** What a text says without its marks, on one line: for quotes, lists and notifications. */
export function plainText(text: string): string {
  const words: string[] = [];
  for (const block of markdown.parse(text, { mentions: NOBODY })) {
    if (block.type === 'fence') words.push(block.content);
    for (const { content, type } of block.children ?? [])
      words.push(type === 'softbreak' || type === 'hardbreak' ? ' ' : content);
    words.push(' ');
  }
  return words.join('').replace(/\s+/g, ' ').trim();
}

function configured() {
  const markdown = new MarkdownIt({
    html: false,
    linkify: true,
    breaks: true,
    highlight: (code, language) =>
      code.length <= HIGHLIGHTED_CHARACTERS && hljs.getLanguage(language)
        ? hljs.highlight(code, { language, ignoreIllegals: true }).value
        : '',
  }).disable([
    'heading',
    'lheading',
    'hr',
    'table',
    'reference',
    'image',
    'code',
    'html_block',
    'html_inline',
  ]);
  markdown.linkify = new LinkifyIt({ fuzzyLink: true, fuzzyEmail: false });
  markdown.validateLink = (address) => LINKED.test(address);
  markdown.core.ruler.push('mentions', callByName);
  const { link_open: before } = markdown.renderer.rules;
  markdown.renderer.rules.link_open = (tokens, index, options, environment, renderer) => {
    tokens[index]?.attrSet('target', '_blank');
    // The other site learns nothing of where somebody came from.
    tokens[index]?.attrSet('rel', 'noopener noreferrer nofollow');
    return (
      before?.(tokens, index, options, environment, renderer) ?? renderer.renderToken(tokens, index, options)
    );
  };
  return markdown;
}

/** Marks the names of members; what is code or a link stays as it is. */
function callByName(state: StateCore): void {
  const { mentions } = state.env as { mentions: ReadonlyMap<string, number | undefined> };
  if (mentions.size === 0) return;
  for (const block of state.tokens) {
    let depth = 0;
    block.children = (block.children ?? []).flatMap((token) => {
      depth += token.type === 'link_open' ? 1 : token.type === 'link_close' ? -1 : 0;
      return token.type === 'text' && depth === 0 ? splitText(state, token.content, mentions) : [token];
    });
  }
}

function splitText(
  state: StateCore,
  text: string,
  mentions: ReadonlyMap<string, number | undefined>,
): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const add = (type: string, content: string) => {
    if (content === '') return;
    tokens.push(Object.assign(new state.Token(type, '', 0), { content }));
  };
  for (const match of text.matchAll(MENTION)) {
    const name = spellings(match[1] ?? '').find((one) => mentions.has(one.toLowerCase()));
    if (name === undefined) continue;
    const id = mentions.get(name.toLowerCase());
    add('text', text.slice(at, match.index));
    const { escapeHtml } = state.md.utils;
    add('html_inline', `<span class="mention" data-mention="${id ?? 'all'}">@${escapeHtml(name)}</span>`);
    at = match.index + 1 + name.length;
  }
  add('text', text.slice(at));
  return tokens;
}
