import type Sharp from 'sharp';
import type { Metadata } from 'sharp';
import { isPicture, takesTooMuchMemory } from '../engines/picture-kinds.ts';
import { isAnimatedPng, stripMetadata } from './strip-metadata.ts';

/** Larger files than these are refused. */
export const MAX_PICTURE_BYTES = 40 * 1024 * 1024;
/** The cameras of 2026 take 200 million pixels; they are read in strips, not as a whole. */
const MAX_PIXELS = 300_000_000;
/** Larger pictures are scaled down: a browser needs four bytes of memory per pixel to show one. */
const MAX_KEPT_PIXELS = 64_000_000;
const LARGEST = { width: 8_000, height: 8_000 } as const;
/** Maximum total pixels of all frames of an animated GIF or WebP; of a larger one only the first frame is kept. */
const MAX_FRAMES_PIXELS = 40_000_000;
const DRAW_TIMEOUT_SECONDS = 30;

/** Twice as large as it is shown at most, for screens with small pixels. */
const THUMBNAIL_WIDTH = 840;
const THUMBNAIL_HEIGHT = 640;

export type Drawn = { content: Buffer; type: string; width: number; height: number; thumbnail: Buffer };

let loaded: Promise<typeof Sharp> | undefined;

/** Loaded with the first picture, not at the start. */
function loadSharp(): Promise<typeof Sharp> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    // Each picture is drawn once: a cache between them would only take memory.
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  });
  return loaded;
}

/** Side length of a profile picture in pixels: twice the largest size at which it is shown. */
const FACE = 256;

let last: Promise<unknown> = Promise.resolve();

/** Runs jobs one at a time, so that many pictures take the memory of one. Resolves to undefined if a job fails. */
function inTurn<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  const done = last.then(work).catch(() => undefined);
  last = done;
  return done;
}

/** The middle of a picture as a square, for beside a name. @returns undefined for what cannot be decoded */
export function drawFace(picture: Buffer): Promise<Buffer | undefined> {
  if (!isPicture(picture)) return Promise.resolve(undefined);
  return inTurn(async () => {
    const sharp = await loadSharp();
    await sizedMetadata(sharp, picture);
    return sharp(picture, { failOn: 'none', limitInputPixels: MAX_PIXELS })
      .timeout({ seconds: DRAW_TIMEOUT_SECONDS })
      .autoOrient()
      .resize({ width: FACE, height: FACE, fit: 'cover' })
      .webp({ quality: 82 })
      .toBuffer();
  });
}

/** What a picture says of itself, before it is decoded. @throws Error where that takes too much memory */
async function sizedMetadata(sharp: typeof Sharp, picture: Buffer): Promise<Metadata> {
  const metadata = await sharp(picture, { failOn: 'none', limitInputPixels: MAX_PIXELS }).metadata();
  if (takesTooMuchMemory(metadata)) throw new Error('This picture takes too much memory.');
  return metadata;
}

const PREVIEW_WIDTH = 480;
const PREVIEW_HEIGHT = 270;

/** A small WebP of the picture of a linked page. @returns undefined for what cannot be decoded */
export function drawPreview(
  picture: Buffer,
): Promise<{ content: Buffer; width: number; height: number } | undefined> {
  if (!isPicture(picture)) return Promise.resolve(undefined);
  return inTurn(async () => {
    const sharp = await loadSharp();
    const { data, info } = await sharp(picture, { failOn: 'none', limitInputPixels: MAX_KEPT_PIXELS })
      .timeout({ seconds: DRAW_TIMEOUT_SECONDS })
      .autoOrient()
      .resize({ width: PREVIEW_WIDTH, height: PREVIEW_HEIGHT, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 72 })
      .toBuffer({ resolveWithObject: true });
    return { content: data, width: info.width, height: info.height };
  });
}

/**
 * Re-encodes a picture: upright, without metadata such as place, time and camera (EXIF, XMP, IPTC). An animated
 * picture stays animated; a long one is not encoded again.
 * @param read loads the picture; called only when its turn comes, so that waiting pictures take no memory
 * @returns undefined if it cannot be decoded, or not within `DRAW_TIMEOUT_SECONDS`
 */
export function draw(read: () => Promise<Buffer>): Promise<Drawn | undefined> {
  return inTurn(async () => drawOne(await read()));
}

async function drawOne(picture: Buffer): Promise<Drawn> {
  const sharp = await loadSharp();
  // Decode as much as possible of a truncated or slightly corrupt picture, as browsers do.
  const options = { failOn: 'none', limitInputPixels: MAX_PIXELS } as const;
  const {
    format,
    pages = 1,
    width: across = 0,
    height: down = 0,
    hasAlpha,
  } = await sizedMetadata(sharp, picture);
  // A page is a frame of an animation; `width` and `height` are those of one frame.
  const isAnimation = format === 'gif' || format === 'webp';
  const moves = pages > 1 && isAnimation && across * down * pages < MAX_FRAMES_PIXELS;
  const turned = sharp(picture, { ...options, animated: moves })
    .autoOrient()
    .timeout({ seconds: DRAW_TIMEOUT_SECONDS });
  const upright = across * down > MAX_KEPT_PIXELS ? turned.resize({ ...LARGEST, fit: 'inside' }) : turned;
  const type = typeOf(format, hasAlpha);
  const { data, info } = await (type === 'jpeg'
    ? upright.jpeg({ quality: 90 })
    : type === 'webp'
      ? upright.webp({ quality: 90 })
      : upright.toFormat(type)
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
  // Libvips decodes only the first frame of a PNG, and not all frames of a long animation are decoded here: it keeps its
  // original bytes, less its metadata.
  const isKept = format === 'png' ? isAnimatedPng(picture) : pages > 1 && isAnimation && !moves;
  const animated = isKept ? stripMetadata(picture) : undefined;
  return {
    content: animated ?? data,
    type: `image/${type}`,
    width: info.width,
    height: info.pageHeight ?? info.height,
    thumbnail,
  };
}

/** The type a picture is stored as: its own if every browser shows it, else WebP if it has transparency, or JPEG. */
function typeOf(format: string | undefined, hasAlpha: boolean): 'png' | 'gif' | 'webp' | 'jpeg' {
  if (format === 'png' || format === 'gif' || format === 'webp') return format;
  return hasAlpha ? 'webp' : 'jpeg';
}
