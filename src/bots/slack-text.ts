/** Characters that Slack's senders escape (docs.slack.dev, "Formatting message text"). */
const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };
const CODE = /(```[^`]*(?:`{1,2}[^`]+)*```|`[^`\n]+`)/;
/** More is no message: what comes after it is not looked at. */
const MAX_UNITS = 20_000;

/**
 * The text of a program that was written for Slack, in Markdown: links and calls in angle brackets, one asterisk for
 * bold, one tilde for struck out. Code stays as it is, but for the escapes.
 */
export function fromSlack(text: string): string {
  return text
    .slice(0, MAX_UNITS)
    .split(CODE)
    .map((part, index) => unescaped(index % 2 === 1 ? part : markdown(part)))
    .join('');
}

function markdown(text: string): string {
  return text
    .replace(/<!(?:channel|everyone|here)(?:\|[^>]{0,100})?>/g, '@all')
    .replace(/<[#@][A-Z0-9]{1,30}\|([^>]{1,100})>/g, (_match, name: string) => name)
    .replace(/<((?:https?|mailto):[^|>\s]{1,2000})\|([^>]{0,500})>/g, (_match, url: string, label: string) =>
      label === '' || label === url ? url : `[${escaped(label)}](${destination(url)})`,
    )
    .replace(/<((?:https?|mailto):[^>\s]{1,2000})>/g, '$1')
    .replace(/(?<![\w*])\*(?![\s*])([^*\n]{0,1000}[^\s*])\*(?![\w*])/g, '**$1**')
    .replace(/(?<![\w~])~(?![\s~])([^~\n]{0,1000}[^\s~])~(?![\w~])/g, '~~$1~~');
}

/** A label must not end the link, and begin one of its own. */
function escaped(label: string): string {
  return label.replace(/[\\[\]]/g, '\\$&');
}

/** Parentheses and backslashes would end the address early. */
function destination(url: string): string {
  return url.replace(/[()\\]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function unescaped(text: string): string {
  return text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
