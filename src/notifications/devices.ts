import { z } from 'zod';
import type { SignedIn } from '../accounts/sessions.ts';
import { ChatError, invalid, notFound } from '../errors.ts';
import { wholeNumber } from '../operations/fields.ts';
import type { Push } from './push.ts';
import type { DeviceStore } from './store.ts';

const UNKNOWN_SERVICE =
  'This browser described its push service in a way that is not understood. Try another browser.';

const base64url = (bytes: number) =>
  z
    .string(UNKNOWN_SERVICE)
    .regex(/^[\w-]+={0,2}$/, UNKNOWN_SERVICE)
    .refine((text) => Buffer.from(text, 'base64url').length === bytes, UNKNOWN_SERVICE);

/** Sizes as RFC 8291 has them: an uncompressed point of P-256, and 16 bytes. */
export const deviceForm = z.object({
  endpoint: z.string(UNKNOWN_SERVICE).max(2_000, UNKNOWN_SERVICE),
  p256dh: base64url(65),
  auth: base64url(16),
  label: z
    .string(UNKNOWN_SERVICE)
    .max(100, UNKNOWN_SERVICE)
    .transform((text) => text.replace(/\p{C}/gu, '').trim() || 'A browser'),
});

/** Adds the device of a session; it is removed when the session ends. @throws ChatError 400 for a host that is no push service */
export async function addDevice(
  { devices, push }: { devices: DeviceStore; push: Push },
  { account, sessionId }: SignedIn,
  device: z.infer<typeof deviceForm>,
  now = Date.now(),
): Promise<void> {
  push.checkEndpoint(device.endpoint);
  await devices.add({ accountId: account.id, createdAt: now, ...device }, sessionId);
}

export const whichDevice = z.object({ deviceId: wholeNumber('"deviceId" takes the number of a device.') });

/** @throws ChatError 404 for a device that is not this account's */
export async function removeDevice(
  { devices }: { devices: DeviceStore },
  { account }: SignedIn,
  { deviceId }: z.infer<typeof whichDevice>,
): Promise<void> {
  if (!(await devices.remove(account.id, deviceId)))
    throw notFound('This device is not among yours any more.');
}

/** Sends a notification to every device of an account. @throws ChatError 400 where there is none, 502 where none is reached */
export async function testDevices(
  { devices, push }: { devices: DeviceStore; push: Push },
  { account }: SignedIn,
): Promise<void> {
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
  if (sent.includes(true)) return;
  const sentence = 'No device could be reached. Remove those that are gone, and turn this one on again.';
  throw new ChatError('unreachable', 502, sentence, 'devices');
}
