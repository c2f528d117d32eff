import type { StateCore, Token } from 'markdown-it';
import { MENTION, spellings } from './names.ts';

/** Somebody who is mentioned; `name` is shown instead of what was typed, for a name that has changed since. */
export type Mentioned = Readonly<{ id: number | 'all'; name?: string }>;

/** By the name in lower case. */
export type Mentions = ReadonlyMap<string, Mentioned>;

/** Marks the names of members; what is code or a link stays as it is. */
export function markMentions(state: StateCore): void {
  // The cast is safe: `renderMarkdown` passes them.
  const { mentions } = state.env as { mentions: Mentions };
  if (mentions.size === 0) return;
  for (const block of state.tokens) {
    const open = new Set(textOutsideLinks(block.children ?? []));
    if (block.children)
      block.children = block.children.flatMap((token) =>
        open.has(token) ? splitText(state, token.content, mentions) : [token],
      );
  }
}

export function textOutsideLinks(tokens: readonly Token[]): Token[] {
  let depth = 0;
  return tokens.filter(({ type }) => {
    depth += type === 'link_open' ? 1 : type === 'link_close' ? -1 : 0;
    return type === 'text' && depth === 0;
  });
}

function splitText(state: StateCore, text: string, mentions: Mentions): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const add = (type: string, content: string) => {
    if (content === '') return;
    tokens.push(Object.assign(new state.Token(type, '', 0), { content }));
  };
  for (const match of text.matchAll(MENTION)) {
    const name = spellings(match[1] ?? '').find((spelling) => mentions.has(keyOf(spelling)));
    if (name === undefined) continue;
    const mentioned = mentions.get(keyOf(name));
    add('text', text.slice(at, match.index));
    const { escapeHtml } = state.md.utils;
    add(
      'html_inline',
      `<span class="mention" data-mention="${mentioned?.id}">@${escapeHtml(mentioned?.name ?? name)}</span>`,
    );
    at = match.index + 1 + name.length;
  }
  add('text', text.slice(at));
  return tokens;
}

/** As names are kept: composed, and without regard to case. */
function keyOf(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
