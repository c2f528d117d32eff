import type { BrowserContext, Page } from 'playwright-core';
import type { Ending } from './hearth.ts';

const MAX_LINES = 60;
const MAX_CHARACTERS = 160;

/** What the sockets and the failed requests of each context were, newest last. */
const traces = new WeakMap<BrowserContext, string[]>();

/** Keeps what a failure in a browser is explained with; `printTraces` prints it. */
export function keepTrace(context: BrowserContext): void {
  const lines: string[] = [];
  traces.set(context, lines);
  context.on('page', (page) => follow(page, (line) => addLine(lines, line)));
}

function addLine(lines: string[], line: string): void {
  lines.push(
    `${new Date().toISOString().slice(11, 23)} ${line.replace(/\s+/g, ' ').slice(0, MAX_CHARACTERS)}`,
  );
  if (lines.length > MAX_LINES) lines.shift();
}

function follow(page: Page, add: (line: string) => void): void {
  page.on('crash', () => add('the page crashed'));
  page.on('pageerror', (error) => add(`error ${error.message}`));
  page.on('framenavigated', (frame) => add(`page ${frame.url()}`));
  page.on('requestfailed', (request) => add(`failed ${request.url()} ${request.failure()?.errorText}`));
  page.on('websocket', (socket) => {
    const path = new URL(socket.url()).pathname;
    add(`${path} opened`);
    socket.on('framesent', ({ payload }) => add(`${path} sent ${payload}`));
    socket.on('framereceived', ({ payload }) => add(`${path} received ${payload}`));
    socket.on('socketerror', (error) => add(`${path} failed ${error}`));
    socket.on('close', () => add(`${path} closed`));
  });
}

/** Prints the traces of a failed test, while its pages are still there. */
export async function printTraces(test: Ending, contexts: readonly BrowserContext[]): Promise<void> {
  if (!('error' in test) || !test.error) return;
  for (const context of contexts) {
    for (const page of context.pages()) console.log(`# ${page.url()}: ${await stateOf(page)}`);
    for (const line of traces.get(context) ?? []) console.log(`#   ${line}`);
  }
}

function stateOf(page: Page): Promise<string> {
  const state = page.evaluate(() => {
    const line = document.querySelector('#network-line');
    const isReconnecting = line instanceof HTMLElement && !line.hidden;
    return `online ${navigator.onLine}, ${document.visibilityState}, reconnecting ${isReconnecting}`;
  });
  const timeout = new Promise<string>((resolve) => setTimeout(resolve, 2_000, 'it does not answer'));
  return Promise.race([state.catch((error: Error) => error.message), timeout]);
}
