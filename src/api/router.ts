import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { identifyAs } from '../accounts/access.ts';
import type { Publish } from '../bus/bus.ts';
import { ChatError, invalid, notFound } from '../errors.ts';
import type { ServeGroupArchive } from '../exports/group-routes.ts';
import { serveArchive } from '../exports/routes.ts';
import type { ExportStore } from '../exports/store.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { StoredFile } from '../files/file.ts';
import { serveFile, serveThumbnail } from '../files/routes.ts';
import type { FileStore } from '../files/store.ts';
import type { ReadUpload } from '../files/upload.ts';
import { openGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import { readJson } from '../http/body.ts';
import { etagOf, hasCurrent } from '../http/conditional.ts';
import { allowOrigins } from '../http/cors.ts';
import { numberInPath } from '../http/request.ts';
import type { Limits } from '../limits.ts';
import { parseInput } from '../operations/define.ts';
import { requireScope } from '../operations/scopes.ts';
import { type Bearer, bearerIn } from '../tokens/identify.ts';
import { revokeToken } from '../tokens/revoke.ts';
import type { TokenStore } from '../tokens/store.ts';
import type { ReceiveRecording } from '../voice/receive-recording.ts';
import type { OperationRoute } from './operations.ts';
import { fileUrl } from './present.ts';
import { answerProblems } from './problem.ts';
import type { Read } from './read.ts';
import { type SignInDependencies, signInProgram, tokenRequest } from './sign-in.ts';

/** In all, by account. */
const REQUESTS = { name: 'API requests', points: 1_200, seconds: 60, sentence: 'That is a lot of requests.' };
const JSON_LIMIT = '256kb';

export type RouterDependencies = SignInDependencies & {
  log: Logger;
  limits: Limits;
  groups: GroupStore;
  files: FileStore;
  blobs: BlobStore;
  exports: ExportStore;
  serveGroupArchive: ServeGroupArchive;
  readUpload: ReadUpload;
  receiveRecording: ReceiveRecording;
  tokenStore: TokenStore;
  publish: Publish;
  /** Whose pages may call the API. */
  corsOrigins: readonly string[];
};

const bearers = new WeakMap<Request, Bearer>();

/** `/api/v1`. Everything but the sign-in and the description takes a bearer token. */
export function apiRouter<Context extends RouterDependencies>(
  dependencies: Context,
  reads: readonly Read<Context>[],
  operations: readonly OperationRoute[],
  describe: () => string,
): Router {
  const { log, limits } = dependencies;
  const requests = limits.of(REQUESTS);
  const router = Router();
  router.use(allowOrigins(dependencies.corsOrigins));
  router.get('/openapi.json', (request, response) => sendJson(request, response, describe()));
  router.use(refuseOtherBodies, readJson(JSON_LIMIT, brokenJson));
  router.post('/token', async (request, response) => {
    const asked = parseInput(tokenRequest, request.body);
    const { token, expiresIn } = await signInProgram(dependencies, asked, request.arrival.address);
    const scope = 'read write account admin';
    response.set('Cache-Control', 'no-store');
    response.status(201).json({ access_token: token, token_type: 'Bearer', expires_in: expiresIn, scope });
  });
  router.use(async (request, _response, next) => {
    const text = bearerIn(request.headers.authorization);
    const bearer = text === undefined ? undefined : await dependencies.tokens.identify(text);
    if (!bearer) throw new ChatError('not_signed_in', 401, 'Send a valid token: "Authorization: Bearer …".');
    await requests.consume(String(bearer.account.id));
    bearers.set(request, bearer);
    identifyAs(request, bearer);
    next();
  });
  router.delete('/token', async (request, response) => {
    const { account, token } = bearerOf(request);
    await revokeToken(dependencies, account.id, token.id);
    response.status(204).end();
  });
  for (const read of reads)
    router.get(read.path, async (request, response) => {
      const bearer = bearerOf(request);
      requireScope(bearer.scopes, read.scope);
      const input = parseInput(read.input, { ...request.query, ...request.params });
      sendJson(request, response, JSON.stringify(await read.run(dependencies, bearer, input)));
    });
  addFiles(router, dependencies);
  for (const operation of operations)
    router.post(operation.path, async (request, response) => {
      const bearer = bearerOf(request);
      requireScope(bearer.scopes, operation.scope);
      response.set('Cache-Control', 'no-store');
      response.json(await operation.run(bearer, request.params, request.body));
    });
  refuseOtherMethods(router);
  return router.use(nothingHere, answerProblems(log));
}

function addFiles(router: Router, dependencies: RouterDependencies): void {
  const { groups, readUpload, receiveRecording } = dependencies;
  router
    .get('/files/:fileId', async (request, response) => {
      requireScope(bearerOf(request).scopes, 'read');
      await serveFile(dependencies, request, response);
    })
    .get('/files/:fileId/thumbnail', async (request, response) => {
      requireScope(bearerOf(request).scopes, 'read');
      await serveThumbnail(dependencies, request, response);
    })
    .get('/account/export/archive', async (request, response) => {
      const { account, scopes } = bearerOf(request);
      requireScope(scopes, 'account');
      // It has what is read with that.
      requireScope(scopes, 'read');
      await serveArchive(dependencies, account, response);
    })
    .get('/groups/:groupId/archive', async (request, response) => {
      const { account, scopes } = bearerOf(request);
      requireScope(scopes, 'read');
      await dependencies.serveGroupArchive(account, numberInPath(request, 'groupId'), response);
    })
    .post('/groups/:groupId/files', async (request, response) => {
      const { account, scopes } = bearerOf(request);
      requireScope(scopes, 'write');
      const open = await openGroup(groups, account, numberInPath(request, 'groupId'));
      const files = await readUpload(request, response, open);
      if (files.length === 0)
        throw invalid('files', 'Send the file as the field "files" of a multipart form.');
      response.status(201).json({ items: files.map(uploaded), next: null });
    })
    .post('/groups/:groupId/recordings', async (request, response) => {
      const { account, scopes } = bearerOf(request);
      requireScope(scopes, 'write');
      const open = await openGroup(groups, account, numberInPath(request, 'groupId'));
      const { file } = await receiveRecording(request, response, open);
      response.status(201).json({ items: [uploaded(file)], next: null });
    });
}

function uploaded({ id, name, type, size, width, height }: StoredFile) {
  return { id, name, type, size, width, height, url: fileUrl(id) };
}

/** Leads programs to files: the address that a message names is that of people who are signed in. */
export const mediaOfTokens: RequestHandler<{ fileId: string }> = (request, response, next) => {
  if (!/^bearer /i.test(request.get('authorization') ?? '')) return next();
  response.redirect(307, fileUrl(encodeURIComponent(request.params.fileId)));
};

function bearerOf(request: Request): Bearer {
  const bearer = bearers.get(request);
  if (!bearer) throw new Error('The token is read before the routes.');
  return bearer;
}

function sendJson(request: Request, response: Response, body: string): void {
  const etag = etagOf(body);
  response.set({ ETag: etag, 'Cache-Control': 'private, no-cache', Vary: 'Authorization, Origin' });
  if (hasCurrent(request, etag)) return void response.status(304).end();
  response.type('application/json').send(body);
}

const WITH_FILES = /^\/groups\/[^/]+\/(?:files|recordings)\/?$/i;

const refuseOtherBodies: RequestHandler = (request, _response, next) => {
  // Null where there is no body; an empty one is none, either.
  const isEmpty = request.get('content-length') === '0';
  const taken = WITH_FILES.test(request.path) ? ['json', 'multipart/form-data'] : ['json'];
  if (!isEmpty && request.is(taken) === false)
    throw new ChatError('not_json', 415, 'Send JSON, with "Content-Type: application/json".');
  next();
};

function brokenJson(): ChatError {
  return new ChatError('bad_request', 400, 'This body is not a JSON object in UTF-8.');
}

/** Answers 405 at an address that takes other methods (RFC 9110, 15.5.6). */
function refuseOtherMethods(router: Router): void {
  const methodsByPath = new Map<string, Set<string>>();
  for (const { route } of router.stack) {
    if (!route) continue;
    const methods = methodsByPath.get(route.path) ?? new Set();
    methodsByPath.set(route.path, methods);
    for (const { method } of route.stack) {
      methods.add(method.toUpperCase());
      if (method === 'get') methods.add('HEAD');
    }
  }
  for (const [path, methods] of methodsByPath)
    router.all(path, (_request, response) => {
      const allowed = [...methods].join(', ');
      response.set('Allow', allowed);
      throw new ChatError('wrong_method', 405, `This address takes ${allowed}.`);
    });
}

const nothingHere: RequestHandler = () => {
  throw notFound('There is no such address in the API. /api/docs lists them.');
};
