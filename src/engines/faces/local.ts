import { JobProcess } from '../process/job-process.ts';
import { type Direction, type FaceEngine, FaceError, type Fault, type Look } from './engine.ts';
import type { Face } from './face.ts';

/** For a picture; the first waits for the model to be loaded. */
const TIMEOUT_MS = 60_000;
const NUMBERS = 128;
/**
 * Largest Euclidean distance to the closest of the enrolled pictures at which a face that looks ahead is the same.
 * With three enrolled, 96 % of genuine tries were accepted and none of 39,760 others, on a few dozen faces.
 */
const SAME = 0.45;
/** For heads that are turned, and between the pictures of one enrolment: the limit that the model was trained for (dlib.net, `dnn_face_recognition_ex`). */
const SAME_TURNED = 0.6;
/** Of `turn`: on a head as a cylinder, with a nose a quarter of the radius long, these are about 12 and 17 degrees. */
const AHEAD = 0.26;
const TURNED = 0.36;

/** What looks at a picture, in a process of its own: `Uint8Array` → `Face | Fault`. */
export const FACE_PROCESS = new URL('./local-process.ts', import.meta.url);

/** The models of `@vladmandic/face-api` on WebAssembly, in a process of their own. */
export class LocalFaces implements FaceEngine {
  readonly name = 'local';
  readonly keepsPictures = false;
  readonly #process = new JobProcess<Uint8Array, Face | Fault>(FACE_PROCESS, 1);

  async enrol(pictures: readonly Uint8Array[]): Promise<Buffer> {
    const descriptors: Float32Array[] = [];
    for (const [index, picture] of pictures.entries()) {
      const face = await this.#describe(picture, index);
      if (directionOf(face.turn) === 'left' || directionOf(face.turn) === 'right')
        throw new FaceError('aside', index);
      if (descriptors.some((other) => distance(other, face.descriptor) > SAME_TURNED))
        throw new FaceError('different', index);
      if (descriptors.some((other) => distance(other, face.descriptor) === 0))
        throw new FaceError('same', index);
      descriptors.push(face.descriptor);
    }
    return Buffer.concat(
      descriptors.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
    );
  }

  async compare(template: Uint8Array, picture: Uint8Array): Promise<Look> {
    const { descriptor, turn } = await this.#describe(picture, 0);
    const direction = directionOf(turn);
    const limit = direction === 'left' || direction === 'right' ? SAME_TURNED : SAME;
    const isSame = descriptorsOf(template).some((enrolled) => distance(enrolled, descriptor) <= limit);
    return { isSame, direction };
  }

  async close(): Promise<void> {
    this.#process.close();
  }

  async #describe(picture: Uint8Array, index: number): Promise<Face> {
    const face = await this.#process.run(picture, TIMEOUT_MS);
    if (typeof face === 'string') throw new FaceError(face, index);
    return face;
  }
}

function directionOf(turn: number): Direction {
  if (Math.abs(turn) <= AHEAD) return 'ahead';
  if (Math.abs(turn) < TURNED) return 'between';
  return turn > 0 ? 'left' : 'right';
}

function descriptorsOf(template: Uint8Array): Float32Array[] {
  // A copy: the numbers must begin at a multiple of four.
  const numbers = new Float32Array(new Uint8Array(template).buffer);
  return Array.from({ length: numbers.length / NUMBERS }, (_, index) =>
    numbers.subarray(index * NUMBERS, (index + 1) * NUMBERS),
  );
}

function distance(one: Float32Array, other: Float32Array): number {
  return Math.hypot(...one.map((value, index) => value - (other[index] ?? 0)));
}
