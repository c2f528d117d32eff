import { type Request, type Response, Router } from 'express';
import multer, { MulterError } from 'multer';
import { accountOf, signedInOf } from '../accounts/access.ts';
import type { EmailStore } from '../accounts/email-store.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { LANGUAGES } from '../engines/speech/languages.ts';
import { type ChatError, invalid, notFound } from '../errors.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { visiblePerson } from '../groups/visibility.ts';
import { readMultipart } from '../http/body.ts';
import { onRefusal } from '../http/failures.ts';
import { formsOf } from '../http/forms.ts';
import { numberInPath, seeOther } from '../http/request.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { BoundOperation } from '../operations/define.ts';
import { changePicture } from './edit-profile.ts';
import { PROFILE_RATE } from './operations.ts';

const MAX_PICTURE_BYTES = 15 * 1024 * 1024;

type Dependencies = {
  views: Views;
  page: SidebarPage;
  accounts: AccountStore;
  groups: GroupStore;
  publish: Publish;
  limits: Limits;
  operations: readonly BoundOperation<SignedIn>[];
  emails: EmailStore;
  mailer: Mailer | undefined;
};

/** Everybody's page, and the forms with which one changes one's own. */
export function profileRoutes(dependencies: Dependencies): Router {
  const { views, page, accounts, groups } = dependencies;
  const changes = dependencies.limits.of(PROFILE_RATE);

  const afterChange = '/account?changed=profile';

  async function accountPage(request: Request, error: ChatError): Promise<Html> {
    const account = accountOf(request);
    const typed = (field: string, current: string) => {
      const value: unknown = request.body?.[field];
      return typeof value === 'string' ? value.slice(0, 1_000) : current;
    };
    return views.page(request, 'accounts/account.njk', {
      error,
      account,
      line: typed('line', account.line),
      displayName: typed('displayName', account.displayName),
      username: typed('username', account.username),
      languages: LANGUAGES,
      email: (await dependencies.emails.of(account.id)) ?? '',
      sendsMail: dependencies.mailer !== undefined,
      changed: null,
    });
  }

  return Router()
    .get('/people/:id', async (request, response) => {
      const account = accountOf(request);
      const person = await visiblePerson(dependencies, account, numberInPath(request, 'id'));
      const theirs = await groups.membershipsOf(person.id);
      const own = await groups.membershipsOf(account.id);
      const shared = (await groups.all()).filter((group) => theirs.has(group.id) && own.has(group.id));
      sendHtml(response, await page(request, 'profiles/person.njk', { person, shared }));
    })
    .get('/mine.css', (request, response) => {
      const { id } = accountOf(request);
      response.set({ 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'no-store' });
      response.send(views.render('profiles/mine.css.njk', { id }));
    })
    .get('/people/:id/picture', async (request, response) => {
      const { id } = await visiblePerson(dependencies, accountOf(request), numberInPath(request, 'id'));
      const picture = await accounts.picture(id);
      if (!picture) throw notFound('There is no such picture.');
      // Pages request it with its version in the URL, so it can be cached for ever.
      response.set({ 'Content-Type': 'image/webp', 'Cache-Control': 'private, max-age=31536000, immutable' });
      response.send(picture);
    })
    .post('/account/picture', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => accountPage(request, error));
      await changes.consume(String(account.id));
      const picture = await readPicture(request, response);
      if (!picture && request.body?.remove !== 'yes') throw invalid('picture', 'Choose a picture first.');
      await changePicture(dependencies, account, picture);
      seeOther(response, afterChange);
    })
    .use(
      formsOf(dependencies.operations, {
        targetOf: signedInOf,
        pageOfRefusal: (request) => (error) => accountPage(request, error),
        next: () => afterChange,
      }),
    );
}

/** The one picture of a form; undefined where none was chosen. @throws ChatError 400 when it is too large */
async function readPicture(request: Request, response: Response): Promise<Buffer | undefined> {
  const read = multer({
    storage: multer.memoryStorage(),
    limits: { files: 1, fields: 5, fileSize: MAX_PICTURE_BYTES },
  }).single('picture');
  await readMultipart(read, request, response, (failure) =>
    failure instanceof MulterError
      ? invalid('picture', 'A picture of you has at most 15 MB. Choose a smaller one.')
      : failure,
  );
  return request.file && request.file.size > 0 ? request.file.buffer : undefined;
}
