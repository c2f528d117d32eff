import { tlsOptionsFor } from './certificate.ts';
import { Prompt } from './prompt.ts';
import { Refusal, Server } from './server.ts';
import { keep, readSettings } from './settings.ts';

/**
 * Connects, and signs in where there is no token that is valid. `HEARTH_TOKEN` goes before the one that is kept.
 * @param isInteractive whether somebody can be asked
 */
export async function connectTo(address: string, isInteractive: boolean): Promise<Server> {
  const prompt = isInteractive ? new Prompt() : undefined;
  try {
    return await signedInServer(address, prompt);
  } finally {
    prompt?.close();
  }
}

async function signedInServer(address: string, prompt: Prompt | undefined): Promise<Server> {
  const url = new URL(address);
  const settings = readSettings().servers[url.origin];
  const { options, fingerprint } = await tlsOptionsFor(url, settings?.fingerprint, prompt);
  if (fingerprint !== settings?.fingerprint && fingerprint !== undefined) keep(url.origin, { fingerprint });
  // An empty variable is none.
  const given = process.env.HEARTH_TOKEN || undefined;
  const server = new Server(url, options, given ?? settings?.token);
  if (server.token && (await isValid(server))) return server;
  if (given)
    throw new Error(
      `The token in HEARTH_TOKEN is not valid at ${url.host}: it ran out, was revoked, or is of another Hearth. Set another, or none.`,
    );
  if (!prompt)
    throw new Error(
      `Sign in first, with "npm run chat -- ${url.origin}", or set HEARTH_TOKEN to a token of yours.`,
    );
  server.token = await signIn(server, prompt);
  keep(url.origin, { token: server.token });
  return server;
}

async function isValid(server: Server): Promise<boolean> {
  try {
    await server.get('/me');
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return false;
    throw error;
  }
}

/** Asks until name and password fit. */
async function signIn(server: Server, prompt: Prompt): Promise<string> {
  for (;;) {
    const username = (await prompt.ask('Name: ')).trim();
    const password = await prompt.ask('Password: ', { isSecret: true });
    try {
      return await tokenFor(server, prompt, { username, password });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      process.stdout.write(`${error.message}\n`);
    }
  }
}

async function tokenFor(
  server: Server,
  prompt: Prompt,
  given: { username: string; password: string },
): Promise<string> {
  const label = 'Terminal';
  server.token = undefined;
  try {
    return (await server.post<{ access_token: string }>('/token', { ...given, label })).access_token;
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'code_needed') throw error;
    const code = await prompt.ask('Code of your authenticator app: ');
    return (await server.post<{ access_token: string }>('/token', { ...given, label, code })).access_token;
  }
}
