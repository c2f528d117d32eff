import type { Express } from 'express';
import { isSameSecret } from '../crypto/same-secret.ts';
import { ChatError } from '../errors.ts';
import { readJson } from '../http/body.ts';
import type { Limits } from '../limits.ts';
import { parseInput } from '../operations/define.ts';
import { createTranscriptReceiver, transcriptBody } from './receive-transcript.ts';
import type { WriteDependencies } from './write.ts';

const MAX_BODY = '2mb';
/** Rate limit per IP address; high, since one function may transcribe for many people. */
const ANSWERS = {
  name: 'transcripts',
  points: 600,
  seconds: 60,
  sentence: 'Those are a lot of transcripts.',
};

type Dependencies = WriteDependencies & {
  sharedSecret: string | undefined;
  limits: Limits;
};

/** Where the engine `callback` brings its transcripts: JSON, with `Authorization: Bearer SHARED_SECRET`. */
export function receiveCallbacks(app: Express, dependencies: Dependencies): void {
  const { sharedSecret, limits } = dependencies;
  if (sharedSecret === undefined) return;
  const rate = limits.of(ANSWERS);
  const receive = createTranscriptReceiver(dependencies);
  app.post(
    '/api/voice/transcripts',
    async (request, _response, next) => {
      await rate.consume(request.arrival.address);
      if (!isSameSecret(request.get('authorization') ?? '', `Bearer ${sharedSecret}`))
        throw new ChatError('unauthorized', 401, 'This takes the shared secret as a bearer token.');
      next();
    },
    // Parse the body only after the secret was checked.
    readJson(MAX_BODY),
    async (request, response) => {
      await receive(parseInput(transcriptBody, request.body));
      response.status(204).end();
    },
  );
}
