import { type Request, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import { type RegisterDependencies, register, registration } from '../accounts/register.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import { type SignInDependencies, signInProgram, tokenRequest } from '../api/sign-in.ts';
import { notSignedIn } from '../errors.ts';
import { openGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import { readJson } from '../http/body.ts';
import type { InvitationStore } from '../invitations/store.ts';
import type { MessageStore } from '../messages/store.ts';
import { type BoundOperation, operationNamed, parseInput } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import { requireScope, type Scope } from '../operations/scopes.ts';
import { bearerIn, type Tokens } from '../tokens/identify.ts';
import { chatMessageOf } from './chatsphere-socket.ts';
import type { ChatterboxDependencies } from './chatterbox.ts';
import { answerDetail, onlyJson } from './detail.ts';

const JSON_LIMIT = '16kb';
const HISTORY = 100;
const DETAILS = {
  name_taken: [409, 'User already exists'],
  wrong_credentials: [401, 'Invalid credentials'],
} as const;

const newChat = z.object({ name: z.string('Give the chat a name.') });
const inChat = z.object({ chatId: wholeNumber('"chatId" takes the number of a chat.') });

export type ChatsphereDependencies = ChatterboxDependencies &
  RegisterDependencies &
  SignInDependencies & {
    groups: GroupStore;
    messages: MessageStore;
    invitations: InvitationStore;
    tokens: Tokens;
    ownOperations: readonly BoundOperation<SignedIn>[];
  };

/**
 * What ChatSphere's client asks for over HTTP, below `/api`, with a bearer token: an account, a token, a chat (a closed
 * group), an invitation to one, and what was written in it. No cookie is read or set.
 */
export function chatsphereRoutes(dependencies: ChatsphereDependencies): Router {
  const { accounts, groups, messages, invitations, ownOperations, log } = dependencies;
  const createGroup = operationNamed(ownOperations, 'create-group');
  const createInvitation = operationNamed(ownOperations, 'create-invitation');
  const router = Router();
  router.post('/registry', onlyJson, readJson(JSON_LIMIT), async (request, response) => {
    const wanted = parseInput(registration, request.body);
    await dependencies.signInLimits.countRegistration(request.arrival.address, wanted.username);
    const { id, username } = await register(dependencies, wanted);
    response.status(201).json({ message: 'User registered successfully', user: { id, username } });
  });
  router.post('/login', onlyJson, readJson(JSON_LIMIT), async (request, response) => {
    const labelled = tokenRequest.extend({ label: z.string().max(60).default('ChatSphere') });
    const asked = parseInput(labelled, request.body);
    const { token, account } = await signInProgram(dependencies, asked, request.arrival.address);
    const user = { id: account.id, username: account.username };
    response.set('Cache-Control', 'no-store').json({ token, user });
  });
  router.post('/chat', onlyBearers, onlyJson, readJson(JSON_LIMIT), async (request, response) => {
    const bearer = await bearerOf(dependencies, request, 'write');
    const { name } = parseInput(newChat, request.body);
    const { groupId = 0 } = await createGroup.run(bearer, { name, closed: true });
    response.status(201).json({ id: groupId, name: (await groups.byId(groupId))?.name });
  });
  router.post('/invitations', onlyBearers, onlyJson, readJson(JSON_LIMIT), async (request, response) => {
    const bearer = await bearerOf(dependencies, request, 'write');
    const { chatId } = parseInput(inChat, request.body);
    const { invitationId = 0 } = await createInvitation.run(bearer, { groups: [chatId] });
    const code = (await invitations.byId(invitationId))?.code;
    response.status(201).json({ id: invitationId, chatId, code, link: `/join/${code}` });
  });
  router.get('/messages', onlyBearers, async (request, response) => {
    const { account } = await bearerOf(dependencies, request, 'read');
    const { group } = await openGroup(groups, account, parseInput(inChat, request.query).chatId);
    const newest = await messages.between(group.id, Math.max(1, group.lastSeq - HISTORY + 1), group.lastSeq);
    const shown = newest.filter(({ removedAt }) => removedAt === null);
    response.json(await Promise.all(shown.map((message) => chatMessageOf(accounts, message))));
  });
  return router.use(answerDetail(log, DETAILS));
}

/** Skips a route for requests without a token: those are of pages, or of another client. */
const onlyBearers: RequestHandler = (request, _response, next) => {
  next(request.headers.authorization === undefined ? 'route' : undefined);
};

async function bearerOf({ tokens }: ChatsphereDependencies, request: Request, scope: Scope) {
  const text = bearerIn(request.headers.authorization);
  const bearer = text === undefined ? undefined : await tokens.identify(text);
  if (!bearer) throw notSignedIn();
  requireScope(bearer.scopes, scope);
  return bearer;
}
