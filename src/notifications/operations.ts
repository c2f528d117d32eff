import { z } from 'zod';
import type { SignedIn } from '../accounts/sessions.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { addDevice, deviceForm, removeDevice, testDevices, whichDevice } from './devices.ts';
import type { Push } from './push.ts';
import { quietForm, setQuietHours } from './quiet.ts';
import type { DeviceStore } from './store.ts';

export type NotificationOperationContext = {
  accounts: AccountStore;
  devices: DeviceStore;
  push: Push;
  publish: Publish;
};

const ADDITIONS = { name: 'devices', points: 20, seconds: 600, sentence: 'That is many devices.' };
const TESTS = { name: 'notification tests', points: 10, seconds: 300, sentence: 'That is many tests.' };

/** How an account is notified; everybody decides for themselves. */
export const notificationOperations: readonly Operation<NotificationOperationContext, SignedIn>[] = [
  defineOperation({
    name: 'add-device',
    path: '/notifications/devices',
    input: deviceForm,
    // A push message has what was written, and goes on after a token has expired.
    scope: 'session',
    rate: ADDITIONS,
    policy: () => undefined,
    run: (context: NotificationOperationContext, who: SignedIn, device) => addDevice(context, who, device),
  }),
  defineOperation({
    name: 'test-devices',
    path: '/notifications/test',
    input: z.unknown(),
    rate: TESTS,
    policy: () => undefined,
    run: (context: NotificationOperationContext, who: SignedIn) => testDevices(context, who),
  }),
  defineOperation({
    name: 'remove-device',
    path: '/notifications/devices/:deviceId/remove',
    input: whichDevice,
    policy: () => undefined,
    run: (context: NotificationOperationContext, who: SignedIn, which) => removeDevice(context, who, which),
  }),
  defineOperation({
    name: 'quiet-hours',
    path: '/notifications/quiet',
    input: quietForm,
    policy: () => undefined,
    run: (context: NotificationOperationContext, { account }: SignedIn, hours) =>
      setQuietHours(context, account, hours),
  }),
];
