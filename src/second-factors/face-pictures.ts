import type { Request, Response } from 'express';
import multer, { MulterError } from 'multer';
import { ChatError, invalid } from '../errors.ts';
import { discardBody, readMultipart } from '../http/body.ts';

/** A picture of a phone's camera has about 5. */
const MAX_PICTURE_BYTES = 12 * 1024 * 1024;
/** Of all pictures of a form together: they are held in memory. */
const MAX_FORM_BYTES = 25 * 1024 * 1024;
/** Forms that are read or looked at in this process: together 200 MB. */
const MAX_FORMS = 8;
/** Of one account, which may have a second page open. */
const MAX_FORMS_OF_ONE = 2;
/** 25 MB at 1 Mbit/s: who stops sending keeps nobody out for longer. */
const LONGEST_FORM_MS = 200_000;

/** Reads forms with pictures of faces, of which a few at a time are in memory. */
export class FacePictures {
  /** The account of each form that is under way. */
  readonly #forms: number[] = [];

  /**
   * @param accountId whose face it is
   * @param most the fields, and how many files each may have; empty files, which browsers send for empty fields, are left out
   * @param look what is done with the pictures, while they count
   * @throws ChatError 400 for too many or too large pictures, 411 and 413 for forms without a length or too large,
   *   503 while other forms are looked at, or two of this account
   */
  async read<Field extends string, Result>(
    request: Request,
    response: Response,
    accountId: number,
    most: Record<Field, number>,
    look: (pictures: Record<Field, Buffer[]>) => Promise<Result>,
  ): Promise<Result> {
    const refusal = this.#refusal(accountId, request.headers['content-length']);
    if (refusal) {
      await discardBody(request);
      throw refusal;
    }
    this.#forms.push(accountId);
    const deadline = setTimeout(() => request.destroy(), LONGEST_FORM_MS).unref();
    try {
      const pictures = await readPictures(request, response, most);
      clearTimeout(deadline);
      return await look(pictures);
    } finally {
      clearTimeout(deadline);
      this.#forms.splice(this.#forms.indexOf(accountId), 1);
    }
  }

  #refusal(accountId: number, length: string | undefined): ChatError | undefined {
    if (length === undefined) return new ChatError('no_length', 411, 'Say how long the form is.');
    if (Number(length) > MAX_FORM_BYTES)
      return new ChatError('too_large', 413, 'These pictures have more than 25 MB. Choose smaller ones.');
    const own = this.#forms.filter((id) => id === accountId);
    if (this.#forms.length >= MAX_FORMS || own.length >= MAX_FORMS_OF_ONE)
      return new ChatError(
        'busy',
        503,
        'Other faces are being checked. Try again in a minute.',
        undefined,
        60,
      );
    return undefined;
  }
}

async function readPictures<Field extends string>(
  request: Request,
  response: Response,
  most: Record<Field, number>,
): Promise<Record<Field, Buffer[]>> {
  const fields = Object.keys(most) as Field[];
  const read = multer({
    storage: multer.memoryStorage(),
    limits: { fields: 5, fileSize: MAX_PICTURE_BYTES },
  }).fields(fields.map((name) => ({ name, maxCount: most[name] })));
  await readMultipart(read, request, response, (failure) =>
    failure instanceof MulterError
      ? invalid('pictures', 'These are too many pictures, or one has more than 12 MB. Choose smaller ones.')
      : failure,
  );
  const files = Object.values(request.files ?? {}).flat() as Express.Multer.File[];
  const of = (name: Field) =>
    files.filter(({ fieldname, size }) => fieldname === name && size > 0).map(({ buffer }) => buffer);
  // The cast is safe: these are the fields of `most`.
  return Object.fromEntries(fields.map((name) => [name, of(name)])) as Record<Field, Buffer[]>;
}
