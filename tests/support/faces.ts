import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

const { resolve } = createRequire(import.meta.url);
const PICTURES = join(dirname(resolve('@vladmandic/face-api/package.json')), 'demo');

/** Where three people are in the pictures that come with the package: those of `several` stand beside each other. */
const AREAS = {
  ada: { file: 'sample6.jpg', left: 1114, top: 212, width: 320, height: 472 },
  joe: { file: 'sample2.jpg', left: 1378, top: 70, width: 330, height: 411 },
  several: { file: 'sample6.jpg', left: 1100, top: 200, width: 640, height: 500 },
  nobody: { file: 'sample6.jpg', left: 900, top: 1100, width: 640, height: 400 },
} as const;

export type Subject = keyof typeof AREAS;

/** A JPEG of one of them. `variant` is another picture of the same face: lighter, blurred, at an angle. */
export async function portrait(subject: Subject, variant = 0): Promise<Buffer> {
  const { file, ...area } = AREAS[subject];
  const picture = sharp(join(PICTURES, file)).extract(area);
  if (variant === 0) return picture.jpeg({ quality: 92 }).toBuffer();
  const changed = await picture
    .modulate({ brightness: 1 + variant / 12 })
    .rotate(2 * variant - 3, { background: '#808080' })
    .toBuffer();
  return sharp(changed).blur(0.6).jpeg({ quality: 90 }).toBuffer();
}

/** The face with its one half wider than the other, as a head that is turned has them; mirrored for the other side. */
export async function turned(subject: Subject, side: 'left' | 'right', variant = 0): Promise<Buffer> {
  const straight = await portrait(subject, variant);
  const { width = 0, height = 0 } = await sharp(straight).metadata();
  const half = Math.round(width / 2);
  const middle = Math.round(width * 0.68);
  const part = (left: number, from: number, to: number) =>
    sharp(straight)
      .extract({ left, top: 0, width: from, height })
      .resize(to, height, { fit: 'fill' })
      .toBuffer();
  const halves = await sharp({ create: { width, height, channels: 3, background: '#808080' } })
    .composite([
      { input: await part(0, half, middle), left: 0, top: 0 },
      { input: await part(half, width - half, width - middle), left: middle, top: 0 },
    ])
    .png()
    .toBuffer();
  return sharp(halves)
    .flop(side === 'right')
    .jpeg({ quality: 92 })
    .toBuffer();
}

/** Three pictures of a face, to set the check up with. */
export function three(subject: Subject): Promise<Buffer[]> {
  return Promise.all([0, 1, 2].map((variant) => portrait(subject, variant)));
}
