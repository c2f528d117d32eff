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

/** Reads forms with pictures of faces, of which a few at a time are in memory. */
export class FacePictures {
  #forms = 0;

  /**
   * @param most the fields, and how many files each may have; empty files, which browsers send for empty fields, are left out
   * @param look what is done with the pictures, while they count
   * @throws ChatError 400 for too many or too large pictures, 411 and 413 for forms without a length or too large,
   *   503 while other forms are looked at
   */
  async read<Field extends string, Result>(
    request: Request,
    response: Response,
    most: Record<Field, number>,
    look: (pictures: Record<Field, Buffer[]>) => Promise<Result>,
  ): Promise<Result> {
    const refusal = this.#refusal(request.headers['content-length']);
    if (refusal) {
      await discardBody(request);
      throw refusal;
    }
    this.#forms += 1;
    try {
      return await look(await readPictures(request, response, most));
    } finally {
      this.#forms -= 1;
    }
  }

  #refusal(length: string | undefined): ChatError | undefined {
    if (length === undefined) return new ChatError('no_length', 411, 'Say how long the form is.');
    if (Number(length) > MAX_FORM_BYTES)
      return new ChatError('too_large', 413, 'These pictures have more than 25 MB. Choose smaller ones.');
    if (this.#forms >= MAX_FORMS)
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
