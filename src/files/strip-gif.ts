const HEADER_BYTES = 13;
const BLOCK = { EXTENSION: 0x21, IMAGE: 0x2c, TRAILER: 0x3b } as const;
const LABEL = { PLAIN_TEXT: 0x01, COMMENT: 0xfe, APPLICATION: 0xff } as const;
/** More of them has no animation of a person, and would take much memory: the smallest are three bytes. */
const MAX_BLOCKS = 100_000;
/** What browsers need of applications: how often an animation repeats. */
const REPETITION = /^(?:NETSCAPE2\.0|ANIMEXTS1\.0)$/;

/**
 * Removes comments and what applications wrote, such as XMP, from a GIF, block by block (GIF89a, 17 to 27).
 * @returns undefined for one that is not whole, or has more blocks than any
 */
export function stripGif(bytes: Buffer): Buffer | undefined {
  const kept: Buffer[] = [];
  let at = HEADER_BYTES + tableBytes(bytes[10]);
  kept.push(bytes.subarray(0, at));
  while (at < bytes.length) {
    const from = at;
    const type = bytes[at];
    if (type === BLOCK.TRAILER) return Buffer.concat([...kept, bytes.subarray(at, at + 1)]);
    if ((type !== BLOCK.EXTENSION && type !== BLOCK.IMAGE) || kept.length > MAX_BLOCKS) return undefined;
    // Before its sub-blocks, an extension has a label, and an image a descriptor, a table and the size of its codes.
    at += type === BLOCK.EXTENSION ? 2 : 10 + tableBytes(bytes[at + 9]) + 1;
    const application = bytes.toString('latin1', at + 1, at + 12);
    while ((bytes[at] ?? 0) > 0) at += 1 + (bytes[at] ?? 0);
    at += 1;
    if (type === BLOCK.IMAGE || isNeeded(bytes[from + 1], application)) kept.push(bytes.subarray(from, at));
  }
  return undefined;
}

function isNeeded(label: number | undefined, application: string): boolean {
  if (label === LABEL.APPLICATION) return REPETITION.test(application);
  return label !== LABEL.COMMENT && label !== LABEL.PLAIN_TEXT;
}

/** The bytes of a table of colours. @param packed the field that says whether there is one, and of how many colours */
function tableBytes(packed = 0): number {
  return packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0;
}
