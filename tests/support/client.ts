import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import WebSocket from 'ws';
import { PATIENCE_MS } from './until.ts';

export const PASSWORD = 'correct horse battery';

export type Answer = {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  bytes: Buffer;
  location: string;
};

export type Frame = { type: string; [field: string]: unknown };

/** An HTTP client with a cookie jar. */
export class Visitor {
  readonly cookies = new Map<string, string>();

  constructor(
    readonly url: string,
    readonly headers: Record<string, string> = {},
  ) {}

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('GET', path, undefined, headers);
  }

  post(
    path: string,
    form: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const body = new URLSearchParams(form).toString();
    return this.request('POST', path, body, {
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    });
  }

  /** A multipart form, as a page without a script sends it. */
  async upload(
    path: string,
    files: readonly { field?: string; name: string; type: string; bytes: Uint8Array }[],
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    for (const { field = 'files', name, type, bytes } of files)
      form.append(field, new Blob([Buffer.from(bytes)], { type }), name);
    const encoded = new Response(form);
    const type = encoded.headers.get('content-type') ?? '';
    return this.request('POST', path, Buffer.from(await encoded.arrayBuffer()), {
      'content-type': type,
      ...headers,
    });
  }

  async request(
    method: string,
    path: string,
    body?: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const url = new URL(path, this.url);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, {
      method,
      rejectUnauthorized: false,
      agent: false,
      headers: { ...this.headers, cookie: this.cookie, ...headers },
    });
    request.end(body);
    const [response] = await once(request, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    for (const line of response.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) this.cookies.set(name, value);
    }
    return {
      status: response.statusCode,
      headers: response.headers,
      body: bytes.toString(),
      bytes,
      location: response.headers.location ?? '',
    };
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  register(username: string, password = PASSWORD): Promise<Answer> {
    return this.post('/register', { username, password });
  }

  /** Opens a socket of wire.md's `hearth.json`, unless told otherwise. */
  socket(
    path: string,
    options: { protocol?: string | string[]; headers?: Record<string, string> } = {},
  ): Promise<Socket> {
    return Socket.open(
      new URL(path, this.url.replace(/^http/, 'ws')).href,
      options.protocol ?? 'hearth.json',
      {
        cookie: this.cookie,
        ...options.headers,
      },
    );
  }
}

/** Registers somebody and lets them join groups. */
export async function newPerson(url: string, username: string, ...groups: number[]): Promise<Visitor> {
  const visitor = new Visitor(url);
  const { status, body } = await visitor.register(username);
  if (status !== 303)
    throw new Error(`${username} could not register: ${/role="alert">(.*?)</.exec(body)?.[1]}`);
  for (const id of groups) await visitor.post(`/groups/${id}/join`);
  return visitor;
}

/** A socket that keeps what it is told, in order. */
export class Socket {
  readonly frames: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #read = 0;
  #waiting: (() => void) | undefined;

  private constructor(readonly ws: WebSocket) {
    ws.on('message', (data) => {
      this.frames.push(String(data));
      this.#waiting?.();
    });
    this.closed = new Promise((resolve) => {
      ws.once('close', (code, reason) => {
        this.#waiting?.();
        resolve({ code, reason: String(reason) });
      });
    });
  }

  static async open(
    url: string,
    protocol: string | string[],
    headers: Record<string, string>,
  ): Promise<Socket> {
    const ws = new WebSocket(url, protocol, { headers, rejectUnauthorized: false });
    const socket = new Socket(ws);
    await once(ws, 'open');
    return socket;
  }

  send(message: object): void {
    this.ws.send(JSON.stringify(message));
  }

  /** Hands over every frame, in order. The first ones may have come with the handshake, before anybody could listen. */
  each(take: (text: string) => void): void {
    for (const frame of this.frames) take(frame);
    this.ws.on('message', (data) => take(String(data)));
  }

  /** The next frame that fits, passing over others. */
  async next(fits: (text: string) => boolean): Promise<string> {
    for (const deadline = Date.now() + PATIENCE_MS; ; ) {
      const isLast = this.ws.readyState === WebSocket.CLOSED || Date.now() > deadline;
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++] ?? '';
        if (fits(frame)) return frame;
      }
      if (isLast) throw new Error(`Nothing came that fits; what came: ${this.frames.join('\n')}`);
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
        setTimeout(resolve, 50);
      });
    }
  }

  async nextJson(type: string, fits: (frame: Frame) => boolean = () => true): Promise<Frame> {
    return JSON.parse(await this.next((text) => JSON.parse(text).type === type && fits(JSON.parse(text))));
  }

  /** Every frame of a type so far. */
  all(type: string): Frame[] {
    return this.frames.map((text): Frame => JSON.parse(text)).filter((frame) => frame.type === type);
  }

  close(): void {
    this.ws.close();
  }
}

/** Registers a guest, whom a member invites to one group. */
export async function guestOf(
  url: string,
  member: Visitor,
  username: string,
  group: number,
): Promise<Visitor> {
  const { location } = await member.post('/invitations', { groups: String(group), forGuests: 'yes' });
  const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec((await member.get(location)).body)?.[0] ?? '';
  const guest = new Visitor(url);
  const { status } = await guest.post('/register', { username, password: PASSWORD, code });
  if (status !== 303) throw new Error(`${username} could not come in as a guest.`);
  return guest;
}
