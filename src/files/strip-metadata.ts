/**
 * Takes out of a picture what it says of the place, the time and the camera (EXIF but its orientation, XMP, IPTC,
 * comments, small pictures, whatever follows the picture), without decoding it: also of one that is cut off, or that
 * nobody here can draw.
 * @returns undefined for what is no picture whose parts are known
 */
export function stripMetadata(picture: Buffer): Buffer | undefined {
  if (picture.length < 16) return undefined;
  if (picture.readUInt16BE(0) === 0xffd8) return stripJpeg(picture);
  if (picture.readUInt32BE(0) === 0x89504e47) return stripPng(picture);
  if (text(picture, 0, 4) === 'RIFF' && text(picture, 8, 12) === 'WEBP') return stripWebp(picture);
  if (text(picture, 4, 8) === 'ftyp') return stripHeif(picture);
  if (isTiff(picture)) return stripTiff(picture);
  return undefined;
}

function text(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('latin1', from, to);
}

const JPEG = { END: 0xd9, SCAN: 0xda, JFIF: 0xe0, EXIF: 0xe1, ICC: 0xe2, ADOBE: 0xee } as const;

/** Segments by their markers (ISO/IEC 10918-1, B.1); what colours need stays. */
function stripJpeg(bytes: Buffer): Buffer {
  const kept = [bytes.subarray(0, 2)];
  let isTurned = false;
  let at = 2;
  while (at + 4 <= bytes.length) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff || marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === JPEG.END) break;
    if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const end = Math.min(bytes.length, at + 2 + bytes.readUInt16BE(at + 2));
    const segment = bytes.subarray(at, end);
    if (marker === JPEG.EXIF && text(segment, 4, 8) === 'Exif') {
      const orientation = orientationIn(segment.subarray(10));
      if (orientation > 1 && !isTurned) kept.push(exifOf(orientation));
      isTurned ||= orientation > 1;
    } else if (isNeededByJpeg(marker, segment)) kept.push(segment);
    at = end;
    if (marker !== JPEG.SCAN) continue;
    const scanEnd = endOfScan(bytes, at);
    kept.push(bytes.subarray(at, scanEnd));
    at = scanEnd;
  }
  if (bytes[at] === 0xff && bytes[at + 1] === JPEG.END) kept.push(bytes.subarray(at, at + 2));
  return Buffer.concat(kept);
}

function isNeededByJpeg(marker: number, segment: Buffer): boolean {
  if (marker === JPEG.JFIF) return text(segment, 4, 8) === 'JFIF';
  if (marker === JPEG.ICC) return text(segment, 4, 15) === 'ICC_PROFILE';
  if (marker === JPEG.ADOBE) return text(segment, 4, 9) === 'Adobe';
  // APPn, JPGn and COM hold what other programs wrote; everything below is the picture itself.
  return marker < 0xe0;
}

/** The first marker after the coded data that begins here: not a stuffed byte and no restart (B.1.1.5). */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at)) {
    const next = bytes[at + 1] ?? 0;
    if (next === 0xff) at += 1;
    else if (next === 0 || (next >= 0xd0 && next <= 0xd7)) at += 2;
    else return at;
  }
  return bytes.length;
}

const ORIENTATION_TAG = 0x112;

/** How a camera was held, from 1 to 8 (TIFF 6.0, "Orientation"); 1 where it is not said. */
function orientationIn(tiff: Buffer): number {
  const isLittle = text(tiff, 0, 2) === 'II';
  const read = (at: number, size: 2 | 4) =>
    at + size > tiff.length ? 0 : isLittle ? tiff.readUIntLE(at, size) : tiff.readUIntBE(at, size);
  const directory = read(4, 4);
  for (let index = 0; index < read(directory, 2); index++) {
    const entry = directory + 2 + 12 * index;
    const value = read(entry + 8, 2);
    if (read(entry, 2) === ORIENTATION_TAG) return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** An EXIF segment that says the orientation, and nothing else. */
function exifOf(orientation: number): Buffer {
  const tiff = [
    0x4d,
    0x4d,
    0,
    42,
    0,
    0,
    0,
    8,
    0,
    1,
    1,
    0x12,
    0,
    3,
    0,
    0,
    0,
    1,
    0,
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
  ];
  const content = Buffer.from([...Buffer.from('Exif\0\0', 'latin1'), ...tiff]);
  return Buffer.concat([Buffer.from([0xff, JPEG.EXIF, 0, content.length + 2]), content]);
}

/** What draws and colours a PNG, one that moves too (PNG 3rd edition, 11). */
const PNG_CHUNKS = new Set(
  'IHDR PLTE IDAT IEND acTL fcTL fdAT tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD pHYs'.split(' '),
);

function stripPng(bytes: Buffer): Buffer {
  const kept = [bytes.subarray(0, 8)];
  for (let at = 8; at + 8 <= bytes.length; ) {
    const end = Math.min(bytes.length, at + 12 + bytes.readUInt32BE(at));
    const type = text(bytes, at + 4, at + 8);
    if (PNG_CHUNKS.has(type)) kept.push(bytes.subarray(at, end));
    if (type === 'IEND') break;
    at = end;
  }
  return Buffer.concat(kept);
}

/** Whether a PNG has several frames: an `acTL` chunk before its first picture data. */
export function isAnimatedPng(bytes: Buffer): boolean {
  for (let at = 8; at + 8 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const type = text(bytes, at + 4, at + 8);
    if (type === 'acTL') return true;
    if (type === 'IDAT') return false;
  }
  return false;
}

const WEBP_CHUNKS = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'ICCP']);
/** In the flags of VP8X: EXIF and XMP are there (RFC 9649, 2.7). */
const WEBP_METADATA_FLAGS = 0x0c;

function stripWebp(bytes: Buffer): Buffer {
  const kept = [Buffer.from(bytes.subarray(0, 12))];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at + 4);
    const end = Math.min(bytes.length, at + 8 + size + (size % 2));
    const type = text(bytes, at, at + 4);
    if (WEBP_CHUNKS.has(type)) {
      const chunk = Buffer.from(bytes.subarray(at, end));
      if (type === 'VP8X' && chunk.length > 8) chunk[8] = (chunk[8] ?? 0) & ~WEBP_METADATA_FLAGS;
      kept.push(chunk);
    }
    at = end;
  }
  const whole = Buffer.concat(kept);
  whole.writeUInt32LE(whole.length - 8, 4);
  return whole;
}

/** Whether a file is a TIFF, as the raw pictures of most cameras are. */
export function isTiff(beginning: Buffer): boolean {
  return /^(?:II\*\0|MM\0\*)/.test(text(beginning, 0, 4));
}

/** Tags that lead to further directories: pictures in pictures, and EXIF (TIFF 6.0; TIFF Technical Note 1; EXIF 2.32, 4.6.3). */
const DIRECTORIES = new Set([0x14a, 0x8769]);
const GPS_DIRECTORY = 0x8825;
/** Artist, XMP, IPTC, Photoshop's, and the owner and the numbers of camera and lens; what draws the picture stays. */
const PRIVATE_TAGS = new Set([0x13b, 0x2bc, 0x83bb, 0x8649, 0xa430, 0xa431, 0xa435, 0xc62f]);
/** How many bytes a value of each type has (TIFF 6.0, section 2). */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const MAX_DIRECTORIES = 200;

/** Fills what is private with zeros where it lies, so that nothing moves. */
function stripTiff(original: Buffer): Buffer {
  const bytes = Buffer.from(original);
  const isLittle = text(bytes, 0, 2) === 'II';
  const read = (at: number, size: 2 | 4) =>
    at + size > bytes.length ? 0 : isLittle ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
  const clear = (from: number, to: number) =>
    bytes.fill(0, Math.min(from, bytes.length), Math.min(to, bytes.length));
  const directories = [{ at: read(4, 4), isGps: false }];
  const seen = new Set<number>();
  for (const { at, isGps } of directories) {
    if (at === 0 || seen.has(at) || seen.size >= MAX_DIRECTORIES) continue;
    seen.add(at);
    const count = read(at, 2);
    const end = at + 2 + 12 * count;
    for (let entry = at + 2; entry < end && entry + 12 <= bytes.length; entry += 12) {
      const tag = read(entry, 2);
      const values = read(entry + 4, 4);
      const size = values * (TYPE_BYTES[read(entry + 2, 2)] ?? 0);
      const from = size > 4 ? read(entry + 8, 4) : entry + 8;
      if (tag === GPS_DIRECTORY) directories.push({ at: read(entry + 8, 4), isGps: true });
      else if (DIRECTORIES.has(tag))
        for (let index = 0; index < Math.min(values, MAX_DIRECTORIES); index++)
          directories.push({ at: read(from + 4 * index, 4), isGps: false });
      if (isGps || PRIVATE_TAGS.has(tag)) clear(from, from + size);
    }
    directories.push({ at: read(end, 4), isGps });
    // A directory of nothing.
    if (isGps) clear(at, end);
  }
  return bytes;
}

type Box = { type: string; start: number; end: number };

/**
 * HEIC and AVIF: the items that are metadata are filled with zeros where they lie, so that nothing moves (ISO/IEC
 * 14496-12, 8.11; 23008-12, Annex A).
 * @returns undefined where the file does not say where its items are: then nobody knows what is in it
 */
function stripHeif(original: Buffer): Buffer | undefined {
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
    yield { type: text(bytes, at + 4, at + 8), start: at + header, end: Math.min(to, at + size) };
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
      const type = text(bytes, item.start + (version === 2 ? 8 : 10), item.start + (version === 2 ? 12 : 14));
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
