import { setTimeout as sleep } from 'node:timers/promises';
import nodemailer from 'nodemailer';
import type { Config } from '../config.ts';

/** A message in plain text. */
export type Mail = { to: string; subject: string; text: string };

export type Mailer = {
  /** Where links in mails lead: the first of ORIGINS, so that no request can have them lead elsewhere. */
  origin: string;
  /** Queues a message; nobody waits for the mail server. Failures are retried, then reported without the address. */
  send(mail: Mail): void;
  stop(): Promise<void>;
};

const TIMEOUT_MS = 10_000;
const RETRIES_MS = [2_000, 20_000];
/** A mail server that says nothing is not waited for longer than this at the end. */
const STOP_MS = 3_500;

/** Sends mail by SMTP; undefined where SMTP_URL is not set. @param report called with what could not be sent */
export function createMailer(
  { smtpUrl, mailFrom, origins }: Pick<Config, 'smtpUrl' | 'mailFrom' | 'origins'>,
  report: (error: unknown) => void,
): Mailer | undefined {
  const [origin] = origins;
  if (smtpUrl === undefined || origin === undefined) return undefined;
  const url = new URL(smtpUrl);
  const transport = nodemailer.createTransport({
    host: url.hostname,
    port: Number(url.port) || (url.protocol === 'smtps:' ? 465 : 587),
    secure: url.protocol === 'smtps:',
    ...(url.username && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const underWay = new Set<Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  let isStopped = false;

  async function deliver(mail: Mail, attempt = 0): Promise<void> {
    try {
      await transport.sendMail({ from: mailFrom, ...mail });
    } catch (error) {
      const delay = RETRIES_MS[attempt];
      if (delay === undefined || isStopped) return report(notSent(codeOf(error)));
      const timer = setTimeout(() => {
        timers.delete(timer);
        track(deliver(mail, attempt + 1));
      }, delay);
      timers.add(timer.unref());
    }
  }

  function track(work: Promise<void>): void {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  }

  return {
    origin,
    send: (mail) => track(deliver(mail)),
    async stop() {
      isStopped = true;
      for (const timer of timers) {
        clearTimeout(timer);
        report(notSent('Hearth was stopped before it was tried again'));
      }
      const isDone = Promise.all(underWay).then(() => true);
      const isLate = sleep(STOP_MS, false, { ref: false });
      if (!(await Promise.race([isDone, isLate])))
        report(new Error('A mail may not have been sent: the server did not answer before the end'));
      transport.close();
    },
  };
}

function notSent(why: string): Error {
  return new Error(`A mail was not sent: ${why}`);
}

/** What the server or the network said, without the text of the answer, which names the address. */
function codeOf(error: unknown): string {
  const { code, responseCode } = error as { code?: string; responseCode?: number };
  return [code, responseCode].filter(Boolean).join(' ') || 'unknown';
}
