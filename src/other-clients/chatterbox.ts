import { Router } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type RegisterDependencies, register, registration } from '../accounts/register.ts';
import { type SignInDependencies, signInProgram, tokenRequest } from '../api/sign-in.ts';
import { readJson } from '../http/body.ts';
import { parseInput } from '../operations/define.ts';
import { answerDetail, onlyJson } from './detail.ts';

const JSON_LIMIT = '16kb';
const DETAILS = {
  name_taken: [400, 'User already exists'],
  wrong_credentials: [401, 'Invalid credentials'],
} as const;

export type ChatterboxDependencies = RegisterDependencies & SignInDependencies & { log: Logger };

/**
 * What Chatterbox's client asks for: whether the server runs, an account, and a token. Its socket is in
 * `plain-sockets.ts`. No cookie is read or set, so that pages of other sites can do no more with it than anybody.
 */
export function chatterboxRoutes(dependencies: ChatterboxDependencies): Router {
  const router = Router();
  router.get('/', (request, response, next) => {
    if (request.accepts(['html', 'json']) !== 'json') return next();
    response.json({ status: 'Server is running' });
  });
  router.post('/register', onlyJson, readJson(JSON_LIMIT), async (request, response) => {
    const wanted = parseInput(registration, request.body);
    await dependencies.signInLimits.countRegistration(request.arrival.address, wanted.username);
    await register(dependencies, wanted);
    response.json({ message: 'User registered successfully' });
  });
  router.post('/login', onlyJson, readJson(JSON_LIMIT), async (request, response) => {
    const asked = parseInput(
      tokenRequest.extend({ label: z.string().max(60).default('Chatterbox') }),
      request.body,
    );
    const { token } = await signInProgram(dependencies, asked, request.arrival.address);
    response.set('Cache-Control', 'no-store').json({ token });
  });
  return router.use(answerDetail(dependencies.log, DETAILS));
}
