import { type Request, Router } from 'express';
import { z } from 'zod';
import { accountOf } from '../accounts/access.ts';
import type { AccountStore } from '../accounts/store.ts';
import { ChatError, invalid, notFound } from '../errors.ts';
import type { GroupPage } from '../groups/page.ts';
import { onRefusal } from '../http/failures.ts';
import { createRateLimit } from '../http/rate-limit.ts';
import { isZone, numberInPath, seeOther, wantsFragment, zoneOf } from '../http/request.ts';
import { type Html, sendHtml } from '../http/views.ts';
import { timeOf } from '../messages/present.ts';
import { parseInput } from '../operations/define.ts';
import type { Push } from './push.ts';
import type { DeviceStore } from './store.ts';

const SUBSCRIPTIONS = { points: 20, seconds: 600, sentence: 'That is many devices.' };
const TESTS = { points: 10, seconds: 300, sentence: 'That is many tests.' };

const base64url = (bytes: number) =>
  z
    .string()
    .regex(/^[\w-]+={0,2}$/)
    .refine((text) => Buffer.from(text, 'base64url').length === bytes);

/** Sizes as RFC 8291 has them: an uncompressed point of P-256, and 16 bytes. */
const deviceForm = z.object({
  endpoint: z.string().max(2_000),
  p256dh: base64url(65),
  auth: base64url(16),
  label: z
    .string()
    .max(100)
    .transform((text) => text.replace(/\p{C}/gu, '').trim() || 'A browser'),
});

const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;
const clock = z
  .string()
  .regex(CLOCK, 'Give both times as 22:30.')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));
const quietForm = z.object({
  from: clock,
  to: clock,
  zone: z.string().refine(isZone, 'This time zone is not known. Choose one such as Europe/Berlin.'),
});

type Dependencies = {
  page: GroupPage;
  accounts: AccountStore;
  devices: DeviceStore;
  push: Push;
  rateLimits: boolean;
};

/** What tells one of messages while one is away: this browser, other devices, quiet hours, and a test. */
export function notificationRoutes({ page, accounts, devices, push, rateLimits }: Dependencies): Router {
  const subscriptions = createRateLimit(SUBSCRIPTIONS, rateLimits);
  const tests = createRateLimit(TESTS, rateLimits);

  async function settings(request: Request, error: ChatError | null, done = ''): Promise<Html> {
    const account = accountOf(request);
    const typed = (name: string, current: string) => {
      const value: unknown =
        error?.field === 'from' || error?.field === 'to' ? request.body?.[name] : undefined;
      return value === '' || (typeof value === 'string' && CLOCK.test(value)) ? value : current;
    };
    const ownDevices = await devices.of(account.id);
    const zone = account.quiet?.zone ?? zoneOf(request);
    return page(request, 'notifications/settings.njk', {
      publicKey: push.publicKey,
      devices: ownDevices.map(({ id, label, createdAt, deliveredAt, endpoint }) => ({
        id,
        label,
        endpoint,
        added: timeOf(createdAt),
        delivered: deliveredAt === null ? null : timeOf(deliveredAt),
      })),
      quiet: {
        isOn: account.quiet !== null,
        from: typed('from', asClock(account.quiet?.from ?? 22 * 60)),
        to: typed('to', asClock(account.quiet?.to ?? 7 * 60)),
        zone,
        regions: regionsWith(zone),
      },
      done,
      error,
    });
  }

  const saved = '/notifications?done=saved';

  return Router()
    .get('/notifications', async (request, response) => {
      const done = typeof request.query.done === 'string' ? request.query.done : '';
      sendHtml(response, await settings(request, null, done));
    })
    .post('/notifications/devices', async (request, response) => {
      const account = accountOf(request);
      const { endpoint, p256dh, auth, label } = parseDevice(request.body);
      push.checkEndpoint(endpoint);
      await subscriptions.take(String(account.id));
      const device = { accountId: account.id, endpoint, p256dh, auth, label, createdAt: Date.now() };
      await devices.add(device, request.sessionID);
      if (wantsFragment(request)) response.status(204).end();
      else seeOther(response, saved);
    })
    .post('/notifications/devices/:id/remove', async (request, response) => {
      const removed = await devices.remove(accountOf(request).id, numberInPath(request, 'id'));
      if (!removed) throw notFound('This device is not among yours any more.');
      seeOther(response, saved);
    })
    .post('/notifications/test', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => settings(request, error));
      await tests.take(String(account.id));
      const ownDevices = await devices.of(account.id);
      if (ownDevices.length === 0) throw invalid('devices', 'No device of yours takes notifications yet.');
      const notice = {
        title: 'Hearth',
        body: 'This is how a notification arrives.',
        url: '/notifications',
        tag: 'test',
        badge: 0,
      };
      const sent = await Promise.all(ownDevices.map((device) => push.send(device, notice)));
      if (!sent.includes(true)) {
        const sentence =
          'No device could be reached. Remove those that are gone, and turn this one on again.';
        throw new ChatError('unreachable', 502, sentence, 'devices');
      }
      seeOther(response, '/notifications?done=tested');
    })
    .post('/notifications/quiet', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => settings(request, error));
      const isOff = request.body?.off === 'yes';
      await accounts.setQuiet(account.id, isOff ? null : parseInput(quietForm, request.body));
      seeOther(response, saved);
    });
}

function parseDevice(body: unknown): z.infer<typeof deviceForm> {
  const parsed = deviceForm.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalid(
    'endpoint',
    'This browser described its push service in a way that is not understood. Try another browser.',
  );
}

function asClock(minutes: number): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Time zones by their regions, as a list to choose from. @param zone one that is among them in any case */
function regionsWith(zone: string): { name: string; zones: { zone: string; name: string }[] }[] {
  const regions = new Map<string, { zone: string; name: string }[]>();
  for (const name of new Set(['UTC', ...Intl.supportedValuesOf('timeZone'), zone])) {
    const [region = '', ...place] = name.split('/');
    const zones = regions.get(place.length > 0 ? region : 'Everywhere') ?? [];
    zones.push({ zone: name, name: place.join(', ').replaceAll('_', ' ') || name });
    regions.set(place.length > 0 ? region : 'Everywhere', zones);
  }
  return [...regions].map(([name, zones]) => ({ name, zones }));
}
