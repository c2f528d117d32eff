import { eventType } from '../bus/bus.ts';

/** An administrator changed a setting. */
export const siteSettingsChanged = eventType<Record<string, never>>('site-settings.changed');
