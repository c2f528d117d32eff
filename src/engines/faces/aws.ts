import type { CompareFacesResponse, RekognitionClient } from '@aws-sdk/client-rekognition';
import { type Direction, type FaceEngine, FaceError, type Look } from './engine.ts';
import { openPicture } from './picture.ts';

type Sdk = typeof import('@aws-sdk/client-rekognition');

/** In percent; what Amazon advises for a second factor (aws.amazon.com, "The facts on facial recognition"). */
const SAME = 99;
/** For heads that are turned. */
const SAME_TURNED = 90;
const TIMEOUT_MS = 20_000;
const JPEG_QUALITY = 90;
/** Degrees. */
const AHEAD = 12;
const TURNED = 18;
/** Other faces that are smaller than this share of the largest stand in the background. */
const BACKGROUND = 0.5;
/** Of a side of the picture. */
const SMALLEST_FACE = 0.11;

/** Amazon Rekognition. It compares two pictures and nothing else, so that a template is made of small pictures. */
export class AwsFaces implements FaceEngine {
  readonly name = 'aws';
  readonly keepsPictures = true;
  readonly #stopped = new AbortController();
  #opened: Promise<{ client: RekognitionClient; sdk: Sdk }> | undefined;

  async enrol(files: readonly Uint8Array[]): Promise<Buffer> {
    const pictures: Buffer[] = [];
    for (const [index, file] of files.entries()) {
      const picture = await smallJpeg(file, index);
      if (pictures.some((other) => other.equals(picture))) throw new FaceError('same', index);
      // The first with itself: that it shows a face, and only one.
      const look = lookOf(await this.#compare(pictures[0] ?? picture, picture, index), index);
      if (!look.isSame) throw new FaceError('different', index);
      if (look.direction === 'aside') throw new FaceError('aside', index);
      pictures.push(picture);
    }
    return Buffer.from(JSON.stringify(pictures.map((picture) => picture.toString('base64'))));
  }

  async compare(template: Uint8Array, file: Uint8Array): Promise<Look> {
    const picture = await smallJpeg(file, 0);
    // The cast is safe: `enrol` wrote it.
    const enrolled = JSON.parse(Buffer.from(template).toString()) as string[];
    let look: Look = { isSame: false, direction: 'between' };
    for (const base64 of enrolled) {
      look = lookOf(await this.#compare(Buffer.from(base64, 'base64'), picture, 0), 0);
      if (look.isSame) break;
    }
    return look;
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#opened?.then(({ client }) => client.destroy()).catch(() => {});
  }

  async #compare(source: Buffer, target: Buffer, index: number): Promise<CompareFacesResponse> {
    this.#opened ??= import('@aws-sdk/client-rekognition').then((sdk) => ({
      sdk,
      client: new sdk.RekognitionClient({}),
    }));
    const { client, sdk } = await this.#opened;
    const command = new sdk.CompareFacesCommand({
      SourceImage: { Bytes: source },
      TargetImage: { Bytes: target },
      SimilarityThreshold: SAME_TURNED,
    });
    const abortSignal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      return await client.send(command, { abortSignal });
    } catch (error) {
      // What Rekognition answers when there is no face in the source picture.
      if (error instanceof sdk.InvalidParameterException) throw new FaceError('none', index);
      if (error instanceof sdk.InvalidImageFormatException) throw new FaceError('unreadable', index);
      throw error;
    }
  }
}

async function smallJpeg(file: Uint8Array, index: number): Promise<Buffer> {
  const opened = await openPicture(file);
  try {
    if (opened) return await opened.jpeg({ quality: JPEG_QUALITY }).toBuffer();
  } catch {
    // Answered below.
  }
  throw new FaceError('unreadable', index);
}

/** @throws FaceError where the second picture has no face, or several */
function lookOf({ FaceMatches = [], UnmatchedFaces = [] }: CompareFacesResponse, index: number): Look {
  const matches = FaceMatches.map(({ Face = {}, Similarity = 0 }) => ({ ...Face, similarity: Similarity }));
  const faces = [...matches, ...UnmatchedFaces.map((face) => ({ ...face, similarity: 0 }))];
  const sizeOf = (face: (typeof faces)[number] | undefined) =>
    Math.min(face?.BoundingBox?.Width ?? 0, face?.BoundingBox?.Height ?? 0);
  const [largest, second] = faces.toSorted((one, other) => sizeOf(other) - sizeOf(one));
  if (!largest) throw new FaceError('none', index);
  if (sizeOf(second) > sizeOf(largest) * BACKGROUND) throw new FaceError('several', index);
  if (sizeOf(largest) < SMALLEST_FACE) throw new FaceError('small', index);
  const direction = directionOf(Math.abs(largest.Pose?.Yaw ?? 90));
  return { isSame: largest.similarity >= (direction === 'aside' ? SAME_TURNED : SAME), direction };
}

/** Rekognition's reference does not say which sign of the yaw is which side (API_Pose). */
function directionOf(yaw: number): Direction {
  if (yaw <= AHEAD) return 'ahead';
  return yaw < TURNED ? 'between' : 'aside';
}
