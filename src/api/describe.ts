import { z } from 'zod';
import { spokenLanguage } from '../engines/speech/languages.ts';
import { SCOPE_MEANINGS } from '../operations/scopes.ts';
import type { OperationRoute } from './operations.ts';
import type { Read } from './read.ts';
import { accessShape, answers, outcomeShape, problemShape } from './shapes.ts';
import { tokenRequest } from './sign-in.ts';

type Schema = { [key: string]: unknown };

const REF = '#/components/schemas/';
const BEARER = [{ bearer: [] }];

/**
 * The OpenAPI 3.1 document of the reads and operations, from the schemas that parse and that the tests validate with.
 * @param version of Hearth
 */
export function describeApi<Context>(
  reads: readonly Read<Context>[],
  operations: readonly OperationRoute[],
  version: string,
): string {
  const paths: Record<string, Record<string, object>> = {};
  const add = (path: string, method: string, route: object) => {
    const address = path.replaceAll(/:(\w+)/g, '{$1}');
    paths[address] = { ...paths[address], [method]: route };
  };
  for (const { name, path, scope, summary, input, answer } of reads)
    add(path, 'get', {
      ...{
        operationId: name,
        summary,
        tags: [tagOf(path)],
        security: BEARER,
        description: `Scope: ${scope}`,
      },
      parameters: parametersOf(path, input),
      responses: { 200: content('The answer', answer), ...PROBLEMS },
    });
  for (const { name, path, scope, input } of operations)
    add(path, 'post', {
      ...{ operationId: name, summary: name, tags: [tagOf(path)], security: BEARER },
      description: `Scope: ${scope}`,
      parameters: parametersOf(path, z.object({})),
      requestBody: bodyOf(path, input),
      responses: { 200: content('What came of it', outcomeShape), ...PROBLEMS },
    });
  addFiles(add);
  add('/token', 'post', {
    ...{
      operationId: 'get-token',
      summary: 'Sign in with name and password',
      tags: ['tokens'],
      security: [],
    },
    requestBody: bodyOf('/token', tokenRequest),
    responses: { 201: content('A JWT', accessShape), ...PROBLEMS },
  });
  add('/token', 'delete', {
    ...{ operationId: 'revoke-this-token', summary: 'Revoke the token that is sent', tags: ['tokens'] },
    ...{ security: BEARER, responses: { 204: { description: 'It is void' }, ...PROBLEMS } },
  });
  return JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Hearth', version, description: DESCRIPTION },
    servers: [{ url: '/api/v1' }],
    paths,
    components: {
      schemas: componentsOf(),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  });
}

const DESCRIPTION = [
  'Everything that a member can do, with a bearer token: `POST /token`, or a token made on the page of the account.',
  'A page of a list has `next`, which goes into the parameter that the list names; null ends it.',
  'Failures are problem details (RFC 9457) with a `code` and the `field`. Answers have an ETag.',
  'A message that is sent again with the same `id` is the same message.',
  `Scopes: ${Object.entries(SCOPE_MEANINGS)
    .map(([scope, meaning]) => `\`${scope}\` (${meaning})`)
    .join('; ')}.`,
].join('\n\n');

const PROBLEMS = { default: content('A refusal', problemShape, 'application/problem+json') };

function addFiles(add: (path: string, method: string, route: object) => void): void {
  const common = { tags: ['files'], security: BEARER, description: 'Scope: read' };
  const parameters = [{ name: 'fileId', in: 'path', required: true, schema: { type: 'string' } }];
  const bytes = {
    description: 'The bytes',
    content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
  };
  add('/files/:fileId', 'get', {
    ...{ ...common, operationId: 'get-file', summary: 'A file, whole or in ranges', parameters },
    responses: { 200: bytes, 206: bytes, ...PROBLEMS },
  });
  add('/files/:fileId/thumbnail', 'get', {
    ...{ ...common, operationId: 'get-thumbnail', summary: 'The small picture of a picture', parameters },
    responses: { 200: bytes, ...PROBLEMS },
  });
  add('/account/export/archive', 'get', {
    ...{ ...common, tags: ['account'], description: 'Scopes: account and read' },
    ...{ operationId: 'get-archive', summary: 'The archive of what is yours, a ZIP file' },
    responses: { 200: bytes, ...PROBLEMS },
  });
  const groupId = { name: 'groupId', in: 'path', required: true, schema: { type: 'integer' } };
  add('/groups/:groupId/archive', 'get', {
    ...{ ...common, tags: ['groups'], parameters: [groupId], operationId: 'get-group-archive' },
    summary: 'All that is in a group, a ZIP file; for its owners',
    responses: { 200: bytes, ...PROBLEMS },
  });
  const files = { type: 'array', items: { type: 'string', format: 'binary' } };
  const spoken = spokenLanguage.describe('What is spoken in it, such as de or de-DE; none for no text.');
  const { language = {} } = inputOf(z.object({ language: spoken })).properties;
  const uploaded = {
    type: 'object',
    properties: { items: { type: 'array', items: { $ref: `${REF}File` } } },
  };
  const ofUpload = {
    upload: [
      { type: 'string', format: 'uuid' },
      'An id of yours: a try with the same one replaces what an earlier try has stored, whose answer was lost',
    ],
    anyway: [
      { enum: ['yes'] },
      'Take a picture whose metadata, such as the place, cannot be removed here, as it is',
    ],
  };
  const options = Object.entries(ofUpload).map(([name, [schema, description]]) => {
    return { name, in: 'query', schema, description };
  });
  const upload = (path: string, operationId: string, summary: string, fields: object) =>
    add(path, 'post', {
      ...{ ...common, description: 'Scope: write', operationId, summary },
      parameters: [groupId, ...options],
      requestBody: {
        required: true,
        content: {
          'multipart/form-data': { schema: { type: 'object', properties: fields, required: ['files'] } },
        },
      },
      responses: {
        201: { description: 'They are there', content: { 'application/json': { schema: uploaded } } },
        ...PROBLEMS,
      },
    });
  upload('/groups/:groupId/files', 'upload-files', 'Files for the next message: send their ids with it', {
    files,
  });
  const recording = 'One recording, which becomes a voice message: send its id with a message';
  upload('/groups/:groupId/recordings', 'upload-recording', recording, { files, language });
}

function tagOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function content(description: string, shape: z.ZodType, type = 'application/json') {
  const { id } = answers.get(shape) ?? {};
  return { description, content: { [type]: { schema: { $ref: REF + id } } } };
}

function componentsOf(): Schema {
  const { schemas } = z.toJSONSchema(answers, { uri: (id) => REF + id, unrepresentable: 'any' });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, simplified(schema)]));
}

function parametersOf(path: string, input: z.ZodType): object[] {
  const { properties, required } = inputOf(input);
  const inPath = namesIn(path);
  const all = { ...Object.fromEntries(inPath.map((name) => [name, { type: 'string' }])), ...properties };
  return Object.entries(all).map(([name, schema]) => ({
    name,
    in: inPath.includes(name) ? 'path' : 'query',
    required: inPath.includes(name) || required.includes(name),
    schema,
  }));
}

function bodyOf(path: string, input: z.ZodType): object {
  const { properties, required, ...others } = inputOf(input);
  for (const name of namesIn(path)) delete properties[name];
  const needed = required.filter((name) => name in properties);
  const schema = { type: 'object', properties, ...others, ...(needed.length > 0 && { required: needed }) };
  return { required: needed.length > 0, content: { 'application/json': { schema } } };
}

function inputOf(input: z.ZodType): {
  properties: Schema;
  required: string[];
  additionalProperties?: Schema;
} {
  const schema = simplified(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })) as {
    properties?: Schema;
    required?: string[];
    additionalProperties?: Schema;
  };
  const { properties = {}, required = [], additionalProperties } = schema;
  return { properties: { ...properties }, required, ...(additionalProperties && { additionalProperties }) };
}

function namesIn(path: string): string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
}

/**
 * What forms send as text, programs send as what it is: of "an integer, or digits" the integer is left, of "true, or
 * yes" the boolean. Fields may be added to answers, so that none is forbidden.
 */
function simplified(schema: unknown): Schema {
  if (Array.isArray(schema)) return schema.map(simplified) as unknown as Schema;
  if (typeof schema !== 'object' || schema === null) return schema as unknown as Schema;
  const { $schema, $id, additionalProperties, anyOf, ...rest } = schema as Schema;
  const kept = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, simplified(value)]));
  if (typeof additionalProperties === 'object') kept.additionalProperties = simplified(additionalProperties);
  if (!Array.isArray(anyOf)) return kept;
  const choices = (anyOf as Schema[]).map(simplified).filter((choice) => choice.const !== '');
  const plain = choices.filter(
    ({ type, pattern }) => !(type === 'string' && String(pattern).startsWith('^\\d')),
  );
  const word = plain.find(({ type }) => type === 'boolean') ?? (plain.length === 1 ? plain[0] : undefined);
  return word ? { ...kept, ...word } : { ...kept, anyOf: plain.length > 0 ? plain : choices };
}
