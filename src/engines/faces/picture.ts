import type { Sharp } from 'sharp';
import { isPicture, takesTooMuchMemory } from '../picture-kinds.ts';

/** Faces of pictures that are larger are found no better. */
export const SIDE = 640;
/** The cameras of 2026 take 200 million pixels. */
const MAX_PIXELS = 300_000_000;
const DRAW_TIMEOUT_SECONDS = 10;

/** A picture upright and at most `SIDE` wide and high; undefined for a file that is none. */
export async function openPicture(file: Uint8Array): Promise<Sharp | undefined> {
  if (!isPicture(file)) return undefined;
  const { default: sharp } = await import('sharp');
  const picture = sharp(file, { limitInputPixels: MAX_PIXELS });
  const metadata = await picture.metadata().catch(() => undefined);
  if (metadata && takesTooMuchMemory(metadata)) return undefined;
  return picture
    .timeout({ seconds: DRAW_TIMEOUT_SECONDS })
    .autoOrient()
    .resize({ width: SIDE, height: SIDE, fit: 'inside' })
    .flatten({ background: '#808080' });
}
