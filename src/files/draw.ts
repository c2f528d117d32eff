import type Sharp from 'sharp';

/** Larger pictures than these are refused: decoding takes four bytes a pixel. */
export const MAX_PICTURE_BYTES = 40 * 1024 * 1024;
const MAX_PIXELS = 64_000_000;
/** Of all the frames of one that moves; with more it stands still. */
const MAX_FRAMES_PIXELS = 40_000_000;
const PATIENCE_SECONDS = 30;

/** Twice as large as it is shown at most, for screens with small pixels. */
const THUMBNAIL_WIDTH = 840;
const THUMBNAIL_HEIGHT = 640;

export type Drawn = { content: Buffer; type: string; width: number; height: number; thumbnail: Buffer };

let loaded: Promise<typeof Sharp> | undefined;

/** Loaded with the first picture, not at the start. */
function loadSharp(): Promise<typeof Sharp> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    // Pictures come one at a time, each from somebody else: nothing to keep between them.
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  });
  return loaded;
}

/** What each kind begins with. Only these are decoded here: everything else is a file to download. */
const SIGNATURES: readonly RegExp[] = [
  /^\xff\xd8\xff/,
  /^\x89PNG/,
  /^GIF8[79]a/,
  /^RIFF[\s\S]{4}WEBP/,
  /^[\s\S]{4}ftypavi[fs]/,
];

export function isPicture(beginning: Uint8Array): boolean {
  const text = Buffer.from(beginning.subarray(0, 16)).toString('latin1');
  return SIGNATURES.some((signature) => signature.test(text));
}

/** Of a person, in pixels: twice as large as the largest place where it is shown. */
const FACE = 256;

let last: Promise<unknown> = Promise.resolve();

/** One after another, so that a crowd of pictures takes the memory of one; undefined for what cannot be decoded. */
function inTurn<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  const done = last.then(work).catch(() => undefined);
  last = done;
  return done;
}

/** The middle of a picture as a square, for beside a name. @returns undefined for what cannot be decoded */
export function drawFace(picture: Buffer): Promise<Buffer | undefined> {
  if (!isPicture(picture)) return Promise.resolve(undefined);
  return inTurn(async () =>
    (await loadSharp())(picture, { limitInputPixels: MAX_PIXELS })
      .autoOrient()
      .resize({ width: FACE, height: FACE, fit: 'cover' })
      .webp({ quality: 82 })
      .toBuffer(),
  );
}

/**
 * Draws a picture anew: upright, without what it says of the place, the time and the camera (EXIF, XMP, IPTC), moving
 * where it moved.
 * @param read brings the picture when it is its turn: those that wait take no memory
 * @returns undefined for what cannot be decoded, or not in half a minute
 */
export function draw(read: () => Promise<Buffer>): Promise<Drawn | undefined> {
  return inTurn(async () => drawOne(await read()));
}

async function drawOne(picture: Buffer): Promise<Drawn | undefined> {
  const sharp = await loadSharp();
  const { format, pages = 1, width: across = 0, height: down = 0 } = await sharp(picture).metadata();
  if (across * down > MAX_PIXELS) return undefined;
  // A page is a frame; metadata of moving pictures counts one page only.
  const moves =
    pages > 1 && (format === 'gif' || format === 'webp') && across * down * pages < MAX_FRAMES_PIXELS;
  const upright = sharp(picture, { animated: moves, limitInputPixels: MAX_PIXELS })
    .autoOrient()
    .timeout({ seconds: PATIENCE_SECONDS });
  const redrawn = format === 'png' || format === 'gif' || format === 'webp' ? format : 'jpeg';
  const { data, info } = await (redrawn === 'jpeg'
    ? upright.jpeg({ quality: 90 })
    : redrawn === 'webp'
      ? upright.webp({ quality: 90 })
      : upright.toFormat(redrawn)
  ).toBuffer({ resolveWithObject: true });
  const thumbnail = await sharp(data, { animated: false })
    .resize({
      width: THUMBNAIL_WIDTH,
      height: THUMBNAIL_HEIGHT,
      fit: 'inside',
      withoutEnlargement: true,
    })
    .webp({ quality: 80 })
    .toBuffer();
  return {
    content: data,
    type: `image/${redrawn}`,
    width: info.width,
    height: info.pageHeight ?? info.height,
    thumbnail,
  };
}
