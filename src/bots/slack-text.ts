/** Characters that Slack's senders escape (docs.slack.dev, "Formatting message text"). */
const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };
const CODE = /(```[\s\S]*?```|`[^`\n]+`)/;

/**
 * The text of a program that was written for Slack, in Markdown: links and calls in angle brackets, one asterisk for
 * bold, one tilde for struck out. Code stays as it is, but for the escapes.
 */
export function fromSlack(text: string): string {
  return text
    .split(CODE)
    .map((part, index) => unescaped(index % 2 === 1 ? part : markdown(part)))
    .join('');
}

function markdown(text: string): string {
  return text
    .replace(/<!(?:channel|everyone|here)(?:\|[^>]*)?>/g, '@all')
    .replace(/<[#@][A-Z0-9]+\|([^>]+)>/g, (_match, name: string) => name)
    .replace(/<((?:https?|mailto):[^|>\s]+)\|([^>]*)>/g, (_match, url: string, label: string) =>
      label === '' || label === url ? url : `[${label}](${url})`,
    )
    .replace(/<((?:https?|mailto):[^>\s]+)>/g, '$1')
    .replace(/(?<![\w*])\*(?![\s*])([^*\n]*[^\s*])\*(?![\w*])/g, '**$1**')
    .replace(/(?<![\w~])~(?![\s~])([^~\n]*[^\s~])~(?![\w~])/g, '~~$1~~');
}

function unescaped(text: string): string {
  return text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
