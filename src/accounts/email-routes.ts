import { type Request, Router } from 'express';
import { z } from 'zod';
import type { ChatError } from '../errors.ts';
import { onRefusal } from '../http/failures.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { defineOperation, type Operation, parseInput } from '../operations/define.ts';
import { visitor } from './access.ts';
import {
  confirmEmail,
  type EmailDependencies,
  emailForm,
  forgotForm,
  sendPasswordLink,
  setEmail,
} from './email.ts';
import { linkUsed } from './links.ts';
import type { SignedIn } from './sessions.ts';

/** Mails that strangers cause: by address, and to each name however it is asked. */
const FORGOTTEN = {
  name: 'forgotten',
  points: 10,
  seconds: 3_600,
  sentence: 'Too many tries from your address.',
};
const FORGOTTEN_NAMES = {
  name: 'forgotten names',
  points: 3,
  seconds: 3_600,
  sentence: 'A link was sent already.',
};
const ADDRESSES = {
  name: 'e-mail addresses',
  points: 5,
  seconds: 3_600,
  sentence: 'You have changed your address often.',
};
const TRIES = {
  name: 'e-mail links',
  points: 60,
  seconds: 600,
  sentence: 'Too many tries from your address.',
};

/** Everybody may change their own address. */
export const emailOperations: readonly Operation<EmailDependencies, SignedIn>[] = [
  defineOperation({
    name: 'set-email',
    path: '/account/email',
    input: emailForm,
    rate: ADDRESSES,
    policy: () => undefined,
    run: (context: EmailDependencies, { account }: SignedIn, input) => setEmail(context, account, input),
  }),
];

type Dependencies = EmailDependencies & { views: Views; limits: Limits; report(error: unknown): void };

/** "Forgot your password?", and the links that confirm an address. */
export function emailRoutes(dependencies: Dependencies): Router {
  const { views, emails, limits, mailer, report } = dependencies;
  const [byAddress, byName, tries] = [FORGOTTEN, FORGOTTEN_NAMES, TRIES].map((rate) => limits.of(rate));
  const token = (request: Request) => String(request.params.token).slice(0, 100);
  const page = (request: Request, template: string, context: object): Html =>
    views.page(request, `accounts/${template}.njk`, { account: visitor(request) ?? null, ...context });
  const forgot = (request: Request, error: ChatError | null, isSent = false) => {
    const name = z.string().max(254).safeParse(request.body?.name).data ?? '';
    return page(request, 'forgot', { error, isSent, name, sendsMail: mailer !== undefined });
  };

  return Router()
    .get('/forgot', (request, response) => {
      sendHtml(response, forgot(request, null));
    })
    .post('/forgot', async (request, response) => {
      onRefusal(response, (error) => forgot(request, error));
      const { name } = parseInput(forgotForm, request.body);
      await byAddress?.consume(request.arrival.address);
      // The same answer, after the same time, for every name.
      if (await byName?.tryConsume(name.toLowerCase())) sendPasswordLink(dependencies, name).catch(report);
      sendHtml(response, forgot(request, null, true));
    })
    .get('/confirm-email/:token', async (request, response) => {
      await tries?.consume(request.arrival.address);
      const email = await emails.pending(token(request), Date.now());
      if (email === undefined) throw linkUsed();
      sendHtml(response, page(request, 'confirm-email', { email, isDone: false }));
    })
    .post('/confirm-email/:token', async (request, response) => {
      await tries?.consume(request.arrival.address);
      const email = (await emails.pending(token(request), Date.now())) ?? '';
      await confirmEmail(dependencies, token(request));
      sendHtml(response, page(request, 'confirm-email', { email, isDone: true }));
    });
}
