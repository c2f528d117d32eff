/**
 * Where a head is turned, as seen by the person themselves. `between` is neither ahead nor far enough to a side,
 * `aside` is to a side of which the engine does not know the name.
 */
export type Direction = 'left' | 'ahead' | 'right' | 'between' | 'aside';

/** What a picture shows, beside a face that was enrolled. */
export type Look = Readonly<{ isSame: boolean; direction: Direction }>;

/**
 * Why a picture is of no use: it cannot be decoded, it shows no face, or several of about the same size, the face is
 * too small, looks aside, is not the one of the other pictures, or it is one of the other pictures again.
 */
export type Fault = 'unreadable' | 'none' | 'several' | 'small' | 'aside' | 'different' | 'same';

/** Compares faces. Must not do work on the event loop, and loads its dependencies only when needed. */
export interface FaceEngine {
  readonly name: 'local' | 'aws';
  /** Whether a template has pictures in it, since the engine can compare nothing else. */
  readonly keepsPictures: boolean;
  /**
   * @param pictures files such as JPEG, all of one person who looks ahead
   * @returns what `compare` needs; nobody else can read it
   * @throws FaceError for the first picture that is of no use
   */
  enrol(pictures: readonly Uint8Array[]): Promise<Buffer>;
  /** @throws FaceError for a picture that is of no use */
  compare(template: Uint8Array, picture: Uint8Array): Promise<Look>;
  close(): Promise<void>;
}

export class FaceError extends Error {
  override readonly name = 'FaceError';
  readonly fault: Fault;
  /** Which of the pictures it is, from 0. */
  readonly picture: number;

  constructor(fault: Fault, picture = 0) {
    super(`Picture ${picture + 1}: ${fault}`);
    this.fault = fault;
    this.picture = picture;
  }
}
