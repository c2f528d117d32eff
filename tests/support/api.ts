import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { type Answer, PASSWORD, Visitor } from './client.ts';

type Route = { operationId: string; description: string; responses: Record<string, { content?: Content }> };
type Content = Record<string, { schema: { $ref?: string } }>;
export type Document = { openapi: string; paths: Record<string, Record<string, Route>>; components: object };

/** A program with a token. Every answer is validated against the document of the server that gave it. */
export class Program {
  readonly #visitor: Visitor;
  readonly #document: Document;
  readonly #valid = new Map<string, ValidateFunction>();
  readonly #ajv: Ajv2020;

  constructor(
    readonly url: string,
    readonly token: string,
    document: Document,
  ) {
    this.#visitor = new Visitor(url);
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, 'api');
  }

  get(path: string, headers: Record<string, string> = {}) {
    return this.request('GET', path, undefined, headers);
  }

  post(path: string, body: object = {}, headers: Record<string, string> = {}) {
    return this.request('POST', path, JSON.stringify(body), {
      'content-type': 'application/json',
      ...headers,
    });
  }

  async request(method: string, path: string, body?: string, headers: Record<string, string> = {}) {
    const authorization = this.token && { authorization: `Bearer ${this.token}` };
    const answer = await this.#visitor.request(method, `/api/v1${path}`, body, {
      ...authorization,
      ...headers,
    });
    this.validate(method, path, answer);
    // The tests name the fields that they read.
    return { ...answer, json: (answer.body ? JSON.parse(answer.body) : undefined) as Json };
  }

  /** That the document has this answer, and that it has its shape. */
  validate(method: string, path: string, { status, body, headers }: Answer): void {
    if (status === 304) return;
    const [address, route] = this.#routeOf(method, path);
    if (!route) return assert.equal(status >= 400, true, `${method} ${path} is not in the document`);
    const response = String(status) in route.responses ? String(status) : 'default';
    assert.ok(response !== 'default' || status >= 400, `${method} ${address} answers ${status}: ${body}`);
    const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
    const media = route.responses[response]?.content?.[type];
    if (status === 204) return;
    assert.ok(media, `${method} ${address} answers ${status} with ${type}`);
    const pointer = `/paths/${encode(address)}/${method.toLowerCase()}/responses/${response}/content/${encode(type)}/schema`;
    const validate = this.#valid.get(pointer) ?? this.#ajv.compile({ $ref: `api#${pointer}` });
    this.#valid.set(pointer, validate);
    assert.ok(
      validate(JSON.parse(body)),
      `${method} ${address}: ${JSON.stringify(validate.errors)} in ${body}`,
    );
  }

  #routeOf(method: string, path: string): [string, Route | undefined] {
    const parts = path.split('?')[0]?.split('/') ?? [];
    const fits = (address: string) => {
      const wanted = address.split('/');
      return (
        wanted.length === parts.length &&
        wanted.every((part, at) => part === parts[at] || part.startsWith('{'))
      );
    };
    const addresses = Object.keys(this.#document.paths).filter(
      (address) => fits(address) && this.#document.paths[address]?.[method.toLowerCase()],
    );
    // An address without parameters goes before one with them.
    const address = addresses.toSorted((a, b) => a.split('{').length - b.split('{').length)[0] ?? '';
    return [address, this.#document.paths[address]?.[method.toLowerCase()]];
  }
}

/** What was answered; the document says what it has. */
// biome-ignore lint/suspicious/noExplicitAny: validated against the document before it is read
type Json = any;

function encode(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

export async function documentOf(url: string): Promise<Document> {
  return JSON.parse((await new Visitor(url).get('/api/v1/openapi.json')).body) as Document;
}

/** Signs a program in with name and password. */
export async function signInProgram(url: string, username: string): Promise<Program> {
  const document = await documentOf(url);
  const { json } = await new Program(url, '', document).post('/token', { username, password: PASSWORD });
  return new Program(url, json.access_token, document);
}
