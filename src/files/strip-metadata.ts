import { stripGif } from './strip-gif.ts';
import { stripHeif } from './strip-heif.ts';
import { isTiff, stripTiff } from './strip-tiff.ts';

/**
 * Removes metadata, such as place, time and camera, from a picture: EXIF except its orientation, XMP, IPTC, comments,
 * embedded thumbnails, and data after the end of the picture. Nothing is decoded, so this also works for truncated
 * pictures and for formats that we cannot decode.
 * @returns undefined for a format whose structure is not known
 */
export function stripMetadata(picture: Buffer): Buffer | undefined {
  if (picture.length < 16) return undefined;
  if (picture.readUInt16BE(0) === 0xffd8) return stripJpeg(picture);
  if (picture.readUInt32BE(0) === 0x89504e47) return stripPng(picture);
  if (text(picture, 0, 4) === 'RIFF' && text(picture, 8, 12) === 'WEBP') return stripWebp(picture);
  if (/^GIF8[79]a/.test(text(picture, 0, 6))) return stripGif(picture);
  if (text(picture, 4, 8) === 'ftyp') return stripHeif(picture);
  if (isTiff(picture)) return stripTiff(picture);
  return undefined;
}

function text(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('latin1', from, to);
}

/** More of them is no picture of a camera or a program, and would take long: the smallest are a few bytes. */
const MAX_PARTS = 100_000;
/** Entries of a directory of EXIF that are looked through for the orientation. */
const MAX_ENTRIES = 500;

const JPEG = { END: 0xd9, SCAN: 0xda, JFIF: 0xe0, EXIF: 0xe1, ICC: 0xe2, ADOBE: 0xee } as const;

/** Segments by their markers (ISO/IEC 10918-1, B.1); what colours need stays. */
function stripJpeg(bytes: Buffer): Buffer | undefined {
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
    if (kept.length > MAX_PARTS) return undefined;
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
  for (let index = 0; index < Math.min(read(directory, 2), MAX_ENTRIES); index++) {
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

function stripPng(bytes: Buffer): Buffer | undefined {
  const kept = [bytes.subarray(0, 8)];
  for (let at = 8; at + 8 <= bytes.length; ) {
    const end = Math.min(bytes.length, at + 12 + bytes.readUInt32BE(at));
    const type = text(bytes, at + 4, at + 8);
    if (PNG_CHUNKS.has(type)) kept.push(bytes.subarray(at, end));
    if (kept.length > MAX_PARTS) return undefined;
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

function stripWebp(bytes: Buffer): Buffer | undefined {
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
    if (kept.length > MAX_PARTS) return undefined;
    at = end;
  }
  const whole = Buffer.concat(kept);
  whole.writeUInt32LE(whole.length - 8, 4);
  return whole;
}
