type Box = { type: string; start: number; end: number };

/**
 * Strips HEIC and AVIF: overwrites the metadata items with zeros in place, so that no offset changes (ISO/IEC
 * 14496-12, 8.11; 23008-12, Annex A).
 * @returns undefined if the `meta` box is missing or a box is malformed: the metadata cannot be located then
 */
export function stripHeif(original: Buffer): Buffer | undefined {
  const bytes = Buffer.from(original);
  const top = [...boxesIn(bytes, 0, bytes.length)];
  const meta = top.find((box) => box.type === 'meta');
  if (!meta) return undefined;
  const inner = [...boxesIn(bytes, meta.start + 4, meta.end)];
  const extents = [...top, ...inner].filter(({ type }) => ['uuid', 'free', 'skip'].includes(type));
  try {
    const ids = metadataItems(bytes, inner);
    const idat = inner.find((box) => box.type === 'idat')?.start ?? 0;
    for (const box of inner) if (box.type === 'iloc') extents.push(...itemExtents(bytes, box, ids, idat));
    for (const box of top)
      if (box.type === 'moov')
        extents.push(
          ...[...boxesIn(bytes, box.start, box.end)].filter(({ type }) => /^(?:udta|meta)$/.test(type)),
        );
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  for (const { start, end } of extents)
    bytes.fill(0, Math.min(start, bytes.length), Math.min(end, bytes.length));
  return bytes;
}

/** The boxes between two places; `start` is where the content of each begins. */
function* boxesIn(bytes: Buffer, from: number, to: number): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    const short = bytes.readUInt32BE(at);
    const isLong = short === 1 && at + 16 <= to;
    const size = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? to - at : short;
    const header = isLong ? 16 : 8;
    if (size < header) return;
    yield {
      type: bytes.toString('latin1', at + 4, at + 8),
      start: at + header,
      end: Math.min(to, at + size),
    };
    at += size;
  }
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
  for (let items = read(version < 2 ? 2 : 4); items > 0 && at < end; items--) {
    const id = read(version < 2 ? 2 : 4);
    const method = version > 0 ? read(2) & 15 : 0;
    read(2);
    const base = read(baseSize);
    for (let extents = read(2); extents > 0 && at < end; extents--) {
      read(indexSize);
      const from = base + read(offsetSize) + (method === 1 ? idat : 0);
      const length = read(lengthSize);
      if (ids.has(id) && method < 2)
        found.push({ type, start: from, end: length ? from + length : bytes.length });
    }
  }
  return found;
}
