type Box = { type: string; start: number; end: number };

/** More of them is no picture of a camera, and would take long. */
const MAX_BOXES = 10_000;
const MAX_EXTENTS = 100_000;

/**
 * Strips HEIC and AVIF: overwrites the metadata items with zeros in place, so that no offset changes (ISO/IEC
 * 14496-12, 8.11; 23008-12, Annex A).
 * @returns undefined if the `meta` box is missing, a box is malformed, or there are more than any picture has: the
 *   metadata cannot be located then
 */
export function stripHeif(original: Buffer): Buffer | undefined {
  const bytes = Buffer.from(original);
  try {
    let left = bytes.length;
    for (const { start, end } of privateExtents(bytes)) {
      const to = Math.min(end, bytes.length);
      left -= Math.max(0, to - start);
      if (left < 0) return undefined;
      bytes.fill(0, Math.min(start, bytes.length), to);
    }
    return bytes;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What is to be cleared. @throws RangeError where it cannot be located */
function privateExtents(bytes: Buffer): Box[] {
  const top = boxesIn(bytes, 0, bytes.length);
  const meta = top.find((box) => box.type === 'meta');
  if (!meta) throw new RangeError('There is no "meta" box.');
  const inner = boxesIn(bytes, meta.start + 4, meta.end);
  const ids = metadataItems(bytes, inner);
  const idat = inner.find((box) => box.type === 'idat')?.start ?? 0;
  return [
    ...[...top, ...inner].filter(({ type }) => ['uuid', 'free', 'skip'].includes(type)),
    ...inner.filter(({ type }) => type === 'iloc').flatMap((box) => itemExtents(bytes, box, ids, idat)),
    ...top
      .filter(({ type }) => type === 'moov')
      .flatMap(({ start, end }) => boxesIn(bytes, start, end))
      .filter(({ type }) => /^(?:udta|meta)$/.test(type)),
  ];
}

/** The boxes between two places; `start` is where the content of each begins. @throws RangeError for too many */
function boxesIn(bytes: Buffer, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  for (let at = from; at + 8 <= to; ) {
    const short = bytes.readUInt32BE(at);
    const isLong = short === 1 && at + 16 <= to;
    const size = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? to - at : short;
    const header = isLong ? 16 : 8;
    if (size < header) return boxes;
    if (boxes.length >= MAX_BOXES) throw new RangeError('There are too many boxes.');
    boxes.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      start: at + header,
      end: Math.min(to, at + size),
    });
    at += size;
  }
  return boxes;
}

/** The ids of the items that are metadata, from `iinf`. */
function metadataItems(bytes: Buffer, boxes: readonly Box[]): Set<number> {
  const ids = new Set<number>();
  for (const { start, end } of boxes.filter(({ type }) => type === 'iinf'))
    for (const item of boxesIn(bytes, start + (bytes[start] === 0 ? 6 : 8), end)) {
      const version = bytes[item.start] ?? 0;
      if (item.type !== 'infe' || version < 2) continue;
      const id = version === 2 ? bytes.readUInt16BE(item.start + 4) : bytes.readUInt32BE(item.start + 4);
      const type = bytes.toString(
        'latin1',
        item.start + (version === 2 ? 8 : 10),
        item.start + (version === 2 ? 12 : 14),
      );
      if (['Exif', 'mime', 'uri '].includes(type)) ids.add(id);
    }
  return ids;
}

/** Where these items lie, from `iloc`. @param idat where the content of the `idat` box begins */
function itemExtents(
  bytes: Buffer,
  { start, end, type }: Box,
  ids: ReadonlySet<number>,
  idat: number,
): Box[] {
  const version = bytes[start] ?? 0;
  let at = start + 4;
  const read = (size: number) => {
    const value = size === 8 ? Number(bytes.readBigUInt64BE(at)) : size > 0 ? bytes.readUIntBE(at, size) : 0;
    at += size;
    return value;
  };
  const sizes = read(2);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexSize = version > 0 ? sizes & 15 : 0;
  const found: Box[] = [];
  let looked = 0;
  for (let items = read(version < 2 ? 2 : 4); items > 0 && at < end; items--) {
    if (++looked > MAX_EXTENTS) throw new RangeError('There are too many items.');
    const id = read(version < 2 ? 2 : 4);
    const method = version > 0 ? read(2) & 15 : 0;
    read(2);
    const base = read(baseSize);
    for (let extents = read(2); extents > 0 && at < end; extents--) {
      // An extent of no bytes would not end the box.
      if (++looked > MAX_EXTENTS) throw new RangeError('There are too many extents.');
      read(indexSize);
      const from = base + read(offsetSize) + (method === 1 ? idat : 0);
      const length = read(lengthSize);
      if (ids.has(id) && method < 2)
        found.push({ type, start: from, end: length ? from + length : bytes.length });
    }
  }
  return found;
}
