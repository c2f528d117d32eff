import { createECDH } from 'node:crypto';
import { invalid } from '../errors.ts';
import type { Device, DeviceStore } from './store.ts';

/** What a notification says; sealed for the device, so that its vendor cannot read it (RFC 8291). */
export type Notice = {
  title: string;
  body: string;
  /** Where a press on it leads: a path of ours. */
  url: string;
  /** A later one with the same tag takes its place. */
  tag: string;
  /** How many conversations have something unread, for the installed app's badge. */
  badge: number;
};

/** Hosts of the browser vendors' push services. A leading dot stands for all subdomains. */
const VENDORS = [
  'fcm.googleapis.com',
  'updates.push.services.mozilla.com',
  '.push.services.mozilla.com',
  '.push.apple.com',
  '.notify.windows.com',
];
const KEEP_SECONDS = 24 * 3_600;
const TIMEOUT_MS = 10_000;
const RETRIES_MS = [2_000, 20_000];

export type Push = {
  /** The public key that browsers subscribe with, base64url. */
  publicKey: string;
  /** Allows known push services only, so that nobody can make us send requests elsewhere. @throws ChatError 400 */
  checkEndpoint(endpoint: string): void;
  /**
   * Sends to one device; resolves to whether its push service accepted it. Deletes a device that is gone.
   * @param isWanted is asked before each try: by the next one its person may have left, or the message be removed
   */
  send(device: Device, notice: Notice, isWanted?: () => Promise<boolean>): Promise<boolean>;
  /** Cancels pending retries. */
  stop(): void;
};

/**
 * @param secret 32 random bytes: this server's own VAPID key (RFC 8292)
 * @param services hosts, with their ports, that take push messages beside the vendors'
 */
export function createPush({
  secret,
  contact,
  services,
  devices,
  report,
}: {
  secret: Buffer;
  contact: string;
  services: readonly string[];
  devices: DeviceStore;
  /** Called with errors of background work. */
  report(error: unknown): void;
}): Push {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(secret);
  const publicKey = pair.getPublicKey('base64url');
  const vapidDetails = { subject: contact, publicKey, privateKey: secret.toString('base64url') };
  const timers = new Set<NodeJS.Timeout>();
  let isStopped = false;

  async function send(
    device: Device,
    notice: Notice,
    isWanted: () => Promise<boolean> = async () => true,
    tries = 0,
  ): Promise<boolean> {
    const { endpoint, p256dh, auth } = device;
    if (!(await devices.isOf(device.accountId, device.id)) || !(await isWanted())) return false;
    // Loaded with the first message, not at the start.
    const { default: webPush } = await import('web-push');
    try {
      await webPush.sendNotification({ endpoint, keys: { p256dh, auth } }, JSON.stringify(notice), {
        vapidDetails,
        TTL: KEEP_SECONDS,
        urgency: 'high',
        contentEncoding: 'aes128gcm',
        timeout: TIMEOUT_MS,
      });
    } catch (error) {
      const status = error instanceof webPush.WebPushError ? error.statusCode : 0;
      // The subscription does not exist (any more): the browser was uninstalled, or permission was withdrawn.
      if (status === 404 || status === 410) await devices.remove(device.accountId, device.id);
      else if (status === 0 || status === 429 || status >= 500) again(device, notice, isWanted, tries);
      return false;
    }
    // Outside the try block: a delivered message must not be sent again because this write failed.
    await devices.delivered(device.id, Date.now());
    return true;
  }

  function again(device: Device, notice: Notice, isWanted: () => Promise<boolean>, tries: number): void {
    const wait = RETRIES_MS[tries];
    if (wait === undefined || isStopped) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      send(device, notice, isWanted, tries + 1).catch(report);
    }, wait);
    timers.add(timer.unref());
  }

  return {
    publicKey,
    checkEndpoint(endpoint) {
      const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
      const isVendor = VENDORS.some((name) =>
        name.startsWith('.') ? url?.hostname.endsWith(name) : url?.hostname === name,
      );
      const isKnown = (isVendor && url?.port === '') || services.includes(url?.host ?? '');
      if (url?.protocol !== 'https:' || url.username !== '' || !isKnown)
        throw invalid(
          'endpoint',
          'This browser’s push service is not known here. Ask whoever runs Hearth to allow it.',
        );
    },
    send,
    stop() {
      isStopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
