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
const element = z.object({
  text: z.union([textObject.transform(({ text }) => text), words]),
  url: words,
});

/** A part of a message as Slack lays it out (docs.slack.dev, "Block Kit"). */
const block = z.object({
  type: words,
  text: textObject.catch({ text: '' }),
  fields: listOf(textObject),
  elements: listOf(element),
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
  return joined('\n', [...all, linked('', image), footer]) || fallback;
}

/** The words of blocks, in Slack's notation: a line for each, and for each field of a section. */
export function blocksText(all: z.output<typeof blocks>): string {
  return joined(
    '\n',
    all.map(({ type, text: { text }, fields, elements, title, alt_text: alternative, image_url: image }) =>
      joined('\n', [
        type === 'header' && text ? `*${text}*` : text,
        ...fields.map((entry) => entry.text),
        joined(
          ' ',
          elements.map(({ text, url }) => linked(text, url)),
        ),
        linked(title.text || alternative, image),
      ]),
    ),
  );
}

function linked(label: string, url: string): string {
  if (!url) return label;
  return label ? `<${url}|${label}>` : `<${url}>`;
}

function joined(separator: string, parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(separator);
}
