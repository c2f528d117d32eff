import type { Account } from '../accounts/store.ts';
import {
  type Direction,
  type FaceEngine,
  FaceError,
  type Fault,
  type Look,
} from '../engines/faces/engine.ts';
import { ChatError, invalid } from '../errors.ts';
import type { SecondFactorStore } from './store.ts';
import { recoveryCodes } from './verify.ts';

/** The side to which a head is to be turned. */
export type Turn = 'left' | 'right';

/** Pictures of one sign-in: of a face that looks ahead, and of the same one turned to a side. */
export type Frames = Readonly<{ ahead: readonly Uint8Array[]; turned: readonly Uint8Array[] }>;

export const ENROLLED_PICTURES = 3;

const FAULTS: Readonly<Record<Fault, string>> = {
  unreadable: 'could not be read. Choose a JPEG, PNG or WebP',
  none: 'shows no face. Look into the camera, in good light',
  several: 'shows more than one face. Be alone in the picture',
  small: 'shows a face that is too small. Come closer',
  aside: 'does not look ahead. Look straight into the camera',
  same: 'is the same as another one. Choose three different ones',
  different: 'shows another face than the first. All three must show you',
};

const SIDES: ReadonlySet<Direction> = new Set(['left', 'right', 'aside']);

type Dependencies = { secondFactors: SecondFactorStore; faces: FaceEngine | undefined };

/**
 * Makes a template of three pictures and keeps it; the pictures are kept nowhere else.
 * @returns the recovery codes, which are stored nowhere in the clear
 * @throws ChatError 400 for the first picture that is of no use, 409 where there is no engine
 */
export async function enrolFace(
  { secondFactors, faces }: Dependencies,
  account: Account,
  pictures: readonly Uint8Array[],
  now = Date.now(),
): Promise<string[]> {
  if (!faces) throw noEngine(409);
  if (pictures.length !== ENROLLED_PICTURES)
    throw invalid('pictures', `Three pictures are needed; ${pictures.length} arrived. Choose three.`);
  if (pictures.some((picture, index) => pictures.slice(0, index).some((other) => isEqual(other, picture))))
    throw invalid('pictures', 'Two of the pictures are the same file. Choose three different ones.');
  const template = await refusing((index) => `Picture ${index + 1}`, faces.enrol(pictures));
  const codes = recoveryCodes();
  await secondFactors.setFace(account.id, { engine: faces.name, template }, codes, now);
  return codes;
}

/**
 * Checks that one of the pictures shows the face of the account, and another the same face, turned as it was asked.
 * That keeps out a single picture of them, not pictures from several sides, a film, or somebody who looks alike.
 * The first picture of the face that shows a side decides, so that a film of both sides is a guess.
 * @throws ChatError 400 for pictures of no use, 401 for another face, 409 where the engine that enrolled it is not there,
 *   503 where it fails
 */
export async function checkFace(
  { secondFactors, faces }: Dependencies,
  account: Account,
  { ahead, turned }: Frames,
  turn: Turn,
): Promise<void> {
  const enrolled = await secondFactors.faceOf(account.id);
  if (!faces || enrolled?.engine !== faces.name) throw noEngine(409);
  if (ahead.length === 0 || turned.length === 0)
    throw invalid('ahead', 'Two pictures are needed: one that looks ahead, and one with your head turned.');
  const see = (picture: Uint8Array) => faces.compare(enrolled.template, picture);

  const straight = await firstThat(
    ahead,
    see,
    'The picture that looks ahead',
    (look) => look.isSame && look.direction === 'ahead',
  );
  if (!straight.isSame) throw anotherFace();
  if (straight.direction !== 'ahead')
    throw invalid('ahead', 'Look straight into the camera first. Try again.');
  const aside = await firstThat(
    turned,
    see,
    'The picture with your head turned',
    (look) => look.isSame && SIDES.has(look.direction),
  );
  if (!isTurned(aside.direction, turn))
    throw invalid(
      'turned',
      'Your head was not turned as it was asked. Try again, and turn it a little further.',
    );
  if (!aside.isSame) throw anotherFace();
}

/** The first picture that passes, or else what the last one shows; pictures of no use count where all are. */
async function firstThat(
  pictures: readonly Uint8Array[],
  see: (picture: Uint8Array) => Promise<Look>,
  name: string,
  passes: (look: Look) => boolean,
): Promise<Look> {
  let last: Look | undefined;
  let fault: unknown;
  for (const picture of pictures) {
    try {
      const look = await refusing(() => name, see(picture));
      if (passes(look)) return look;
      last = look;
    } catch (error) {
      if (!(error instanceof ChatError) || error.status !== 400) throw error;
      fault = error;
    }
  }
  if (last) return last;
  throw fault;
}

/** Puts what is wrong with a picture in a sentence. */
async function refusing<Result>(nameOf: (index: number) => string, result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof FaceError)
      throw invalid('pictures', `${nameOf(error.picture)} ${FAULTS[error.fault]}.`);
    const failed = noEngine(503);
    failed.cause = error;
    throw failed;
  }
}

function isTurned(direction: Direction, turn: Turn): boolean {
  return direction === turn || direction === 'aside';
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function anotherFace(): ChatError {
  const sentence = 'That face does not match. Try again in better light, or enter a recovery code.';
  return new ChatError('wrong_face', 401, sentence, 'pictures');
}

function noEngine(status: 409 | 503): ChatError {
  return new ChatError('no_faces', status, 'This server cannot check faces at the moment. Try again later.');
}
