import { z } from 'zod';

/** Text of a field that may hold something else, which is left out. */
const words = z
  .unknown()
  .optional()
  .transform((value) => (typeof value === 'string' ? value.trim() : ''));
/** The entries of a list that are of a shape; everything else is left out. */
const listOf = <Entry extends z.ZodType>(entry: Entry) =>
  z
    .unknown()
    .optional()
    .transform((value): z.output<Entry>[] =>
      (Array.isArray(value) ? value.slice(0, MAX_ENTRIES) : []).flatMap((each) => {
        const parsed = entry.safeParse(each);
        return parsed.success ? [parsed.data] : [];
      }),
    );

/** Slack takes at most 50 blocks, and fewer entries of everything else. */
const MAX_ENTRIES = 50;

const textObject = z.object({ text: words });
/** A button, a text, or a picture beside others; a button without a link does nothing here. */
const element = z
  .object({ type: words, text: z.union([textObject.transform(({ text }) => text), words]), url: words })
  .transform(({ type, text, url }) => (type === 'button' && !url ? '' : linked(text, url)));
const MAX_DEPTH = 6;

const richPart = z.object({
  text: z.string().optional(),
  url: z.string().optional(),
  elements: z.array(z.unknown()).optional(),
});

/** A part of a message as Slack lays it out (docs.slack.dev, "Block Kit"). */
const block = z.object({
  type: words,
  text: textObject.catch({ text: '' }),
  fields: listOf(textObject),
  elements: z.unknown().optional(),
  accessory: element.catch(''),
  title: textObject.catch({ text: '' }),
  alt_text: words,
  image_url: words,
});
export const blocks = listOf(block);

const field = z.object({ title: words, value: words });

/** What was attached in the form before blocks, which most programs still send. */
const attachment = z.object({
  ...{ pretext: words, author_name: words, author_link: words, title: words, title_link: words },
  ...{ text: words, footer: words, image_url: words, fallback: words },
  fields: listOf(field),
  actions: listOf(element),
  blocks,
});
export const attachments = listOf(attachment);

/** The words of an attachment, in Slack's notation; its fallback where it has none. */
export function attachmentText(attached: z.output<typeof attachment>): string {
  const { pretext, title, text, footer, image_url: image, fallback } = attached;
  const author = linked(attached.author_name, attached.author_link);
  const heading = linked(title, attached.title_link);
  const fields = attached.fields.map(({ title, value }) => joined(' ', [title && `*${title}:*`, value]));
  const all = [pretext, author, heading && `*${heading}*`, text, ...fields, blocksText(attached.blocks)];
  return joined('\n', [...all, linked('', image), ...attached.actions, footer]) || fallback;
}

/** The words of blocks, in Slack's notation: a line for each, and for each field of a section. */
export function blocksText(all: z.output<typeof blocks>): string {
  return joined('\n', all.map(blockText));
}

function blockText({
  type,
  text: { text },
  fields,
  elements,
  accessory,
  ...rest
}: z.output<typeof block>): string {
  const heading = type === 'header' && text ? `*${text}*` : text;
  const inner = type === 'rich_text' ? richText(elements) : joined(' ', listOf(element).parse(elements));
  const picture = linked(rest.title.text || rest.alt_text, rest.image_url);
  return joined('\n', [heading, ...fields.map((entry) => entry.text), inner, accessory, picture]);
}

/** The words of a text with marks: paragraphs, lists and quotes below each other, what they are made of in a row. */
function richText(elements: unknown, depth = 0): string {
  if (depth > MAX_DEPTH || !Array.isArray(elements)) return '';
  const parts = elements.slice(0, MAX_ENTRIES).map((part) => {
    const { text = '', url = '', elements: inner } = richPart.catch({ text: '', url: '' }).parse(part);
    return inner === undefined ? linked(text, url) : richText(inner, depth + 1);
  });
  const isOfLines = elements.some((part) => richPart.safeParse(part).data?.elements !== undefined);
  return isOfLines ? joined('\n', parts) : parts.join('');
}

function linked(label: string, url: string): string {
  if (!url) return label;
  return label ? `<${url}|${label}>` : `<${url}>`;
}

function joined(separator: string, parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(separator);
}
