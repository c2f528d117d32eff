import { Transform } from 'node:stream';
import { isPicture, isUnknownPicture } from '../engines/picture-kinds.ts';

/** Brands of audio files, whose metadata is kept: it has the title and the cover of a song. */
const MUSIC = /^M4[ABP] /;
/** What is larger than this is no description of a video, in bytes. */
const MAX_BOX_BYTES = 16 * 1024 * 1024;
const HEADER_BYTES = 16;
const MAX_DEPTH = 8;

/** Boxes that say where, when and with what a video was taken (ISO/IEC 14496-12, 8.10 and 8.11; QuickTime's `udta`). */
const DESCRIPTIONS = new Set(['udta', 'meta', 'uuid']);
/** The box that says how a film of all directions is shown (Spherical Video V1 RFC). */
const SPHERICAL = 'ffcc8263f8554a938814587a02521fdd';
/** Boxes that begin with when they were made and changed. */
const TIMED = new Set(['mvhd', 'tkhd', 'mdhd']);
/** Boxes that may hold such boxes. */
const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf']);

/**
 * Removes place, time and camera from an MP4 or QuickTime video while it streams through: metadata boxes become
 * `free` boxes of zeros, so that no offset changes. Any other file passes unchanged.
 */
export function stripVideo(): Transform {
  /** Received but not yet passed on; joined only once `wanted` bytes are there. */
  let chunks: Buffer[] = [];
  let bytes = 0;
  let wanted = HEADER_BYTES;
  /** Remaining bytes of the current box, which pass unchanged. */
  let passing = 0;
  let isVideo: boolean | undefined;

  /** @returns what can be passed on: the chunk itself where nothing is held, since small boxes must not cost a copy each */
  function take(chunk: Buffer): Buffer | undefined {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < wanted) return undefined;
    const held = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    wanted = HEADER_BYTES;
    let at = 0;
    while (at < held.length) {
      const left = held.length - at;
      if (passing > 0) {
        at += Math.min(passing, left);
        passing -= Math.min(passing, left);
        continue;
      }
      if (left < HEADER_BYTES) break;
      isVideo ??= isVideoFile(held);
      const { type, size } = boxAt(held, at, MAX_BOX_BYTES);
      const isLookedInto = (CONTAINERS.has(type) || DESCRIPTIONS.has(type)) && size <= MAX_BOX_BYTES;
      if (!isVideo) passing = Number.POSITIVE_INFINITY;
      else if (!isLookedInto) passing = isToTheEnd(held, at) ? Number.POSITIVE_INFINITY : size;
      else if (left >= size) {
        clear(held, at, at + size);
        at += size;
      } else {
        wanted = size;
        break;
      }
    }
    chunks = at < held.length ? [held.subarray(at)] : [];
    bytes = held.length - at;
    return held.subarray(0, at);
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const passed = take(chunk);
      if (passed?.length) this.push(passed);
      done();
    },
    flush(done) {
      // One that is cut off: what there is of its last box is cleared all the same.
      const held = Buffer.concat(chunks);
      if (isVideo) clear(held, 0, held.length);
      this.push(held);
      done();
    },
  });
}

function isVideoFile(beginning: Buffer): boolean {
  const type = beginning.toString('latin1', 4, 8);
  if (type === 'ftyp')
    return (
      !isPicture(beginning) &&
      !isUnknownPicture(beginning) &&
      !MUSIC.test(beginning.toString('latin1', 8, 12))
    );
  return /^(?:moov|mdat|wide|free|skip|pnot)$/.test(type);
}

/** Clears the descriptions among the boxes between two places. */
function clear(bytes: Buffer, from: number, to: number, depth = 0): void {
  for (let at = from; at + 8 <= to; ) {
    const { type, size, header } = boxAt(bytes, at, to - at);
    const end = Math.min(to, at + size);
    const isProjection =
      type === 'uuid' && bytes.toString('hex', at + header, at + header + 16) === SPHERICAL;
    if (DESCRIPTIONS.has(type) && !isProjection) {
      bytes.write('free', at + 4, 'latin1');
      bytes.fill(0, at + header, end);
    } else if (TIMED.has(type)) {
      // Version and flags come first, then two times, which are longer in version 1 (ISO/IEC 14496-12, 8.2.2).
      const first = at + header + 4;
      bytes.fill(0, first, Math.min(end, first + (bytes[at + header] === 1 ? 16 : 8)));
    } else if (CONTAINERS.has(type) && depth < MAX_DEPTH) clear(bytes, at + header, end, depth + 1);
    at += size;
  }
}

/** A box of size 0, which is the last one. */
function isToTheEnd(bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === 0;
}

/** @param rest how much follows: the size of a box that goes to the end */
function boxAt(bytes: Buffer, at: number, rest: number): { type: string; size: number; header: number } {
  const short = bytes.readUInt32BE(at);
  const type = bytes.toString('latin1', at + 4, at + 8);
  const isLong = short === 1 && at + HEADER_BYTES <= bytes.length;
  const header = isLong ? 16 : 8;
  const size = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? rest : short;
  return { type, header, size: Math.max(header, size) };
}
