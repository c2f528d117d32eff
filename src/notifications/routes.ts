import { type Request, Router } from 'express';
import { accountOf, signedInOf } from '../accounts/access.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { ChatError } from '../errors.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import { formsOf } from '../http/forms.ts';
import { isZone, zoneOf } from '../http/request.ts';
import { type Html, sendHtml } from '../http/views.ts';
import { timeOf } from '../messages/times.ts';
import type { BoundOperation } from '../operations/define.ts';
import type { Push } from './push.ts';
import { CLOCK } from './quiet.ts';
import type { DeviceStore } from './store.ts';

type Dependencies = {
  page: SidebarPage;
  devices: DeviceStore;
  push: Push;
  operations: readonly BoundOperation<SignedIn>[];
};

/** The page of notification settings: this browser, other devices, quiet hours, and a test. */
export function notificationRoutes({ page, devices, push, operations }: Dependencies): Router {
  async function settings(request: Request, error: ChatError | null, done = ''): Promise<Html> {
    const account = accountOf(request);
    // What was chosen is kept where something else of it was refused.
    const asked = ['from', 'to', 'zone'].includes(error?.field ?? '') ? request.body : undefined;
    const typed = (name: string, current: string) => {
      const value: unknown = asked?.[name];
      return value === '' || (typeof value === 'string' && CLOCK.test(value)) ? value : current;
    };
    const ownDevices = await devices.of(account.id);
    const chosen: unknown = asked?.zone;
    const zone =
      typeof chosen === 'string' && isZone(chosen) ? chosen : (account.quiet?.zone ?? zoneOf(request));
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

  return Router()
    .get('/notifications', async (request, response) => {
      const done = typeof request.query.done === 'string' ? request.query.done : '';
      sendHtml(response, await settings(request, null, done));
    })
    .use(
      formsOf(operations, {
        targetOf: signedInOf,
        inputOf: ({ body, params }) => ({ ...body, ...params }),
        pageOfRefusal: (request) => (error) => settings(request, error),
        next: (_request, _target, { name }) =>
          `/notifications?done=${name === 'test-devices' ? 'tested' : 'saved'}`,
      }),
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
