import { createServer, type Server } from 'node:http';
import express, { type Response } from 'express';
import type { Logger } from 'pino';
import { createArrivals, noteArrivals, refuseOtherSites } from '../http/arrival.ts';
import { readForms } from '../http/body.ts';
import { answerFailures, nothingHere } from '../http/failures.ts';
import { securityHeaders } from '../http/security.ts';
import { assetFolder, serveStatic } from '../http/static.ts';
import { createViews, sendHtml } from '../http/views.ts';
import { listen } from '../listeners.ts';
import { type Captured, FALSE_WORD, type Tap, TRUE_WORD } from './tap.ts';

/** What was captured last; a page that is opened later gets these. */
const KEPT = 400;

export type LessonParts = {
  taps: Readonly<Record<Captured['lane'], Tap>>;
  /** Where the taps listen, as a browser opens them. */
  urls: Readonly<Record<Captured['lane'], string>>;
  account: Readonly<{ username: string; password: string }>;
  /** That of the server over HTTPS. */
  certificate: Readonly<{ issuer: string; validTo: string; fingerprint: string }>;
  /** The server behind the tap of plain HTTP. */
  httpTarget: string;
  assetVersion: string | undefined;
  log: Logger;
};

/** The page of the lesson, on a server of its own: what the taps see, and what they may do. */
export class LessonPages {
  readonly #parts: LessonParts;
  readonly #captured: Captured[] = [];
  readonly #readers = new Set<Response>();
  readonly #server: Server;

  constructor(parts: LessonParts) {
    this.#parts = parts;
    this.#server = createServer(this.#routes());
  }

  /** Shows something that went by to every open page. */
  tell(captured: Captured): void {
    this.#captured.push(captured);
    if (this.#captured.length > KEPT) this.#captured.shift();
    for (const reader of this.#readers) reader.write(frame(captured));
  }

  async listen(port: number): Promise<number> {
    await listen(this.#server, '127.0.0.1', port);
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) reader.end();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #routes() {
    const { taps, urls, account, certificate, assetVersion, log } = this.#parts;
    const views = createViews(assetFolder(assetVersion));
    const none = { trustedProxies: [], origins: [], listensOn: '127.0.0.1', certificate: () => undefined };
    const arrivals = createArrivals(none);
    const app = express();
    for (const setting of ['x-powered-by', 'etag']) app.disable(setting);
    app.use(securityHeaders(), noteArrivals(arrivals));
    serveStatic(app, views.assets);
    app.use(refuseOtherSites(arrivals), readForms());
    const words = { right: TRUE_WORD, wrong: FALSE_WORD };
    const context = { account: null, person: account, urls, certificate, words };
    for (const [path, template] of [
      ['/lesson', 'lesson/page.njk'],
      ['/lesson/hand-out', 'lesson/hand-out.njk'],
      ['/lesson/teachers', 'lesson/teachers.njk'],
    ] as const)
      app.get(path, (request, response) => sendHtml(response, views.page(request, template, context)));
    app.get('/', (_request, response) => response.redirect('/lesson'));
    app.get('/lesson/events', (_request, response) => this.#stream(response));
    app.post('/lesson/change', (request, response) => {
      const lane = request.body?.lane === 'https' ? 'https' : 'http';
      taps[lane].isTampering = request.body?.on === 'yes';
      response.json({ lane, on: taps[lane].isTampering });
    });
    app.post('/lesson/replay', async (request, response) => {
      response.json(await this.#replay(request.body?.lane === 'https' ? 'https' : 'http'));
    });
    app.use(nothingHere, answerFailures(views, log));
    return app;
  }

  #stream(response: Response): void {
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.flushHeaders();
    for (const captured of this.#captured) response.write(frame(captured));
    this.#readers.add(response);
    response.once('close', () => this.#readers.delete(response));
  }

  /** Asks the server with the cookie that the tap read last, as a machine of somebody else would. */
  async #replay(lane: Captured['lane']): Promise<{ cookie: string | null; signedInAs: string | null }> {
    const seen = this.#captured
      .filter((captured) => captured.lane === lane)
      .flatMap(({ evidence }) => evidence);
    const cookie = seen.findLast(({ kind }) => kind === 'cookie')?.text ?? null;
    if (cookie === null) return { cookie, signedInAs: null };
    const headers = { cookie: `hearth=${cookie}`, 'user-agent': 'Another machine' };
    const answer = await fetch(`${this.#parts.httpTarget}/account`, { headers, redirect: 'manual' });
    const name = /<p class="muted">@([^<\s]+)|@([\w.-]+)/.exec(await answer.text());
    return { cookie, signedInAs: answer.status === 200 ? (name?.[1] ?? name?.[2] ?? 'somebody') : null };
  }
}

function frame(captured: Captured): string {
  return `data: ${JSON.stringify(captured)}\n\n`;
}
