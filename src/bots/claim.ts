import type { DeliveryStore } from './delivery-store.ts';
import type { Delivery } from './webhook.ts';

/** A claim that is not renewed any more, as its process ended, is void after this time. */
const CLAIM_MS = 10_000;
const RENEW_MS = 3_000;

/**
 * Claims a delivery for this process, and renews that until it is ended.
 * @returns undefined where another process has it
 */
export async function claimDelivery(
  deliveries: DeliveryStore,
  delivery: Delivery,
  report: (error: unknown) => void,
): Promise<{ end(): void } | undefined> {
  let dueAt = Date.now() + CLAIM_MS;
  if (!(await deliveries.claim(delivery, dueAt))) return undefined;
  const timer = setInterval(async () => {
    const until = Date.now() + CLAIM_MS;
    if (await deliveries.claim({ ...delivery, dueAt }, until).catch(report)) dueAt = until;
  }, RENEW_MS).unref();
  return { end: () => clearInterval(timer) };
}
