import { openAsBlob } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { basename } from 'node:path';
import WebSocket from 'ws';
import type { TlsOptions } from './certificate.ts';
import { asUnreachable } from './unreachable.ts';

const TIMEOUT_MS = 20_000;

/** A refusal of the server, with its sentence. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** After how many seconds it may be tried again, where the server says so. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

export type Person = { id: number; username: string; name: string };
export type Group = {
  id: number;
  kind: 'group' | 'direct';
  name: string;
  isMember: boolean;
  unread: number;
  lastSeq: number;
};
export type Message = {
  id: string;
  groupId: number;
  seq: number;
  change: number;
  author: Person;
  content: string;
  createdAt: string;
  editedAt: string | null;
  removed: boolean;
  replyTo: number | null;
  reactions: { emoji: string; accountIds: number[] }[];
  files: { id: string; name: string; size: number }[];
  voice: { length: number } | null;
};

/** One server, as the JSON API has it (docs/api.md). */
export class Server {
  token: string | undefined;
  readonly #url: URL;
  readonly #tls: TlsOptions;

  constructor(url: URL, tls: TlsOptions, token: string | undefined) {
    this.#url = url;
    this.#tls = tls;
    this.token = token;
  }

  /** Such as https://chat.example. */
  get address(): string {
    return this.#url.origin;
  }

  get<Answer>(path: string): Promise<Answer> {
    return this.#request('GET', path);
  }

  post<Answer>(path: string, body: object = {}): Promise<Answer> {
    return this.#request('POST', path, 'application/json', Buffer.from(JSON.stringify(body)));
  }

  /** Resolves to the id of the file, to be sent with a message. */
  async upload(groupId: number, file: string): Promise<string> {
    const form = new FormData();
    form.append('files', await openAsBlob(file), basename(file));
    const encoded = new Response(form);
    const type = encoded.headers.get('content-type') ?? '';
    const bytes = Buffer.from(await encoded.arrayBuffer());
    const { items } = await this.#request<{ items: { id: string }[] }>(
      'POST',
      `/groups/${groupId}/files`,
      type,
      bytes,
    );
    return items[0]?.id ?? '';
  }

  /** A socket of the protocol `hearth.json`. */
  socket(path: string): WebSocket {
    const url = new URL(path, this.#url);
    url.protocol = this.#url.protocol.replace('http', 'ws');
    return new WebSocket(url, 'hearth.json', { ...this.#tls, headers: this.#authorization() });
  }

  #authorization(): Record<string, string> {
    return this.token ? { authorization: `Bearer ${this.token}` } : {};
  }

  #request<Answer>(method: string, path: string, type?: string, body?: Buffer): Promise<Answer> {
    const headers = {
      ...this.#authorization(),
      accept: 'application/json',
      ...(body && { 'content-type': type, 'content-length': body.length }),
    };
    const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const url = new URL(`/api/v1${path}`, this.#url);
      const request = send(url, { method, headers, ...this.#tls, timeout: TIMEOUT_MS }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', (error) => reject(asUnreachable(error, this.#url)));
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          const answer = parse(Buffer.concat(chunks).toString());
          // The cast is safe: the tests validate every answer of the API.
          if (status < 400) return resolve(answer as Answer);
          const { code = '', detail } = (answer ?? {}) as { code?: string; detail?: string };
          const retryAfter = Number(response.headers['retry-after']) || undefined;
          const sentence = detail ?? `${url.host} answers ${status}. Is it a Hearth?`;
          reject(new Refusal(status, code, sentence, retryAfter));
        });
      });
      request.on('timeout', () => request.destroy(new Error(`${url.host} does not answer.`)));
      request.on('error', (error) => reject(asUnreachable(error, this.#url)));
      request.end(body);
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
