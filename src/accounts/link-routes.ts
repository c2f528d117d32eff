import { type Request, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import type { Passwords } from '../crypto/passwords.ts';
import type { ChatError } from '../errors.ts';
import { onRefusal } from '../http/failures.ts';
import { shared } from '../http/share.ts';
import { sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { parseInput } from '../operations/define.ts';
import { accountOf, enter, enterInSteps, type SecondStep } from './access.ts';
import { replacePassword } from './change-password.ts';
import type { Devices } from './devices.ts';
import type { EmailStore } from './email-store.ts';
import type { SignInLinkStore } from './link-store.ts';
import { consumeLink, makeLink, readLink, VALID_MS } from './links.ts';
import { checkPassword, password } from './register.ts';
import type { Sessions } from './sessions.ts';
import type { AccountStore } from './store.ts';

const newPassword = z.object({ password });

/** Tries of links by address. A token of 192 bits is not guessed; this bounds the work. */
const LINK_TRIES = { name: 'links', points: 60, seconds: 600, sentence: 'Too many tries from your address.' };
const LINKS_MADE = { name: 'links made', points: 20, seconds: 3_600, sentence: 'That is many links.' };

type Dependencies = {
  views: Views;
  devices: Devices;
  startSession: Sessions['start'];
  secondFactors: SecondStep;
  accounts: AccountStore;
  passwords: Passwords;
  signInLinks: SignInLinkStore;
  emails: EmailStore;
  publish: Publish;
  limits: Limits;
  /** Puts `request.session` in place. */
  session: RequestHandler;
};

/** Links that sign in once: to choose a new password, and on another device. */
export function linkRoutes(dependencies: Dependencies): Router {
  const { views, session, limits, signInLinks } = dependencies;
  const tries = limits.of(LINK_TRIES);
  const made = limits.of(LINKS_MADE);
  const counted: RequestHandler = async (request, _response, next) => {
    await tries.consume(request.arrival.address);
    next();
  };
  const token = (request: Request) => String(request.params.token).slice(0, 100);
  const passwordPage = (request: Request, username: string, error: ChatError | null) =>
    views.page(request, 'accounts/new-password.njk', { account: null, username, error });

  return Router()
    .get('/new-password/:token', counted, async (request, response) => {
      const account = await readLink(dependencies, token(request), 'password');
      sendHtml(response, passwordPage(request, account.username, null));
    })
    .post('/new-password/:token', session, counted, async (request, response) => {
      const { username } = await readLink(dependencies, token(request), 'password');
      onRefusal(response, (error) => passwordPage(request, username, error));
      const chosen = parseInput(newPassword, request.body);
      await checkPassword(dependencies.passwords, chosen.password, username);
      const account = await consumeLink(dependencies, token(request), 'password');
      const sessionEpoch = await replacePassword(dependencies, account, chosen.password);
      // The link stands for the password, not for the second step.
      await enterInSteps(dependencies, request, response, { ...account, sessionEpoch });
    })
    .get('/this-device/:token', counted, async (request, response) => {
      const account = await readLink(dependencies, token(request), 'device');
      sendHtml(response, views.page(request, 'accounts/this-device.njk', { account: null, person: account }));
    })
    .post('/this-device/:token', session, counted, async (request, response) => {
      await enter(dependencies, request, response, await consumeLink(dependencies, token(request), 'device'));
    })
    .post('/account/device-link', async (request, response) => {
      const account = accountOf(request);
      await made.consume(String(account.id));
      const link = await shared(request, await makeLink({ signInLinks }, account.id, 'device'));
      const hours = VALID_MS.device / 3_600_000;
      sendHtml(response, views.page(request, 'accounts/device-link.njk', { account, ...link, hours }));
    });
}
