// The child process for faces, so that failures of its libraries do not affect the server.
import { lowerPriority } from '../process/priority.ts';
import { serveJobs } from '../process/serve-jobs.ts';
import type { Fault } from './engine.ts';
import type { Face } from './face.ts';
import { type Detected, type Detector, openDetector } from './face-api.ts';
import { openPicture } from './picture.ts';

/** A chat message goes before a face. */
const PRIORITY = 10;
/** A face that fills the picture is found with a border around it. */
const BORDER = 0.25;
const GREY = '#808080';
/** Of the shorter side of its box, in pixels of a picture that is `SIDE` large: the model sees 150. */
const SMALLEST_FACE = 72;
/** Other faces that are smaller than this share of the largest stand in the background. */
const BACKGROUND = 0.5;

let detector: Promise<Detector> | undefined;

lowerPriority(PRIORITY);
serveJobs((picture: Uint8Array): Promise<Face | Fault> => describe(picture));

async function describe(picture: Uint8Array): Promise<Face | Fault> {
  detector ??= openDetector();
  const opened = await openPicture(picture);
  if (!opened) return 'unreadable';
  let pixels: Pixels;
  try {
    pixels = await opened.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  } catch {
    return 'unreadable';
  }
  let faces = await detect(await detector, pixels);
  if (faces.length === 0) faces = await detect(await detector, await withBorder(pixels));
  const [largest, second] = faces.toSorted((one, other) => sizeOf(other) - sizeOf(one));
  if (!largest) return 'none';
  if (second && sizeOf(second) > sizeOf(largest) * BACKGROUND) return 'several';
  if (sizeOf(largest) < SMALLEST_FACE) return 'small';
  return { descriptor: largest.descriptor, turn: turnOf(largest) };
}

type Pixels = { data: Buffer; info: { width: number; height: number } };

function detect(detector: Detector, { data, info }: Pixels): Promise<Detected[]> {
  return detector(data, info.width, info.height);
}

async function withBorder({ data, info: { width, height } }: Pixels): Promise<Pixels> {
  const { default: sharp } = await import('sharp');
  const x = Math.round(width * BORDER);
  const y = Math.round(height * BORDER);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .extend({ top: y, bottom: y, left: x, right: x, background: GREY })
    .raw()
    .toBuffer({ resolveWithObject: true });
}

function sizeOf({ box }: Detected): number {
  return Math.min(box.width, box.height);
}

/** From the ends of the jaw and the tip of the nose: points 0, 16 and 30 of the 68 (ibug.doc.ic.ac.uk/resources/300-W). */
function turnOf({ points }: Detected): number {
  const [start, end, nose] = [points[0], points[16], points[30]];
  if (!start || !end || !nose || end.x <= start.x) return 0;
  return (2 * nose.x - start.x - end.x) / (end.x - start.x);
}
