import { isIP } from 'node:net';
import { type ZodType, z } from 'zod';

export type Setting<Value = unknown> = Readonly<{
  /** The flag, or the variable of the environment. */
  name: `--${string}` | Uppercase<string>;
  /** What a flag takes, for --help; a flag without it takes nothing. */
  value?: string;
  /** The default, in words. */
  fallback: string;
  meaning: string;
  /** Parses the text, `true` for a flag without a value, or undefined if it is not set. */
  schema: ZodType<Value>;
}>;

// How the text of a setting is read. Every refusal is one sentence that names the setting.

export function port(name: string) {
  const error = (issue: { input?: unknown }) =>
    `${name} takes a number from 0 to 65535, not "${String(issue.input)}".`;
  return z
    .string()
    .regex(/^\d{1,5}$/, { error })
    .refine((text) => Number(text) <= 65_535, { error })
    .transform(Number)
    .optional();
}

/** A text that is not empty, as a variable of a script may be that is not set. */
export function text(name: string, what: string) {
  return z.string().min(1, `${name} takes ${what}, not an empty text.`);
}

export function pattern(name: string, wanted: RegExp, words: string) {
  return z.string().regex(wanted, `${name} takes ${words}.`);
}

export function choice<const Choice extends string>(
  name: string,
  choices: readonly Choice[],
  fallback: Choice,
) {
  return z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const chosen = choices.find((choice) => choice === text);
      if (chosen) return chosen;
      context.addIssue(`${name} takes ${choices.join(', ')}, not "${text}".`);
      return z.NEVER;
    });
}

/** One of these words, or undefined where it is not set. */
export function choiceIfSet<const Choice extends string>(name: string, choices: readonly Choice[]) {
  return z
    .enum(choices, {
      error: ({ input }) => `${name} takes ${choices.join(', ')}, not "${String(input)}".`,
    })
    .optional();
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A number of minutes, hours or days, in milliseconds; at least 10 minutes. */
export function interval(name: string, fallback: string) {
  return pattern(name, /^([1-9]\d{1,4}m|[1-9]\d{0,3}[hd])$/, 'a time from 10m, such as 30m, 24h or 7d')
    .default(fallback)
    .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.slice(-1) as keyof typeof UNIT_MS]);
}

/** Two numbers from 0 with a comma between them. */
export function twoNumbers(name: string, fallback: string) {
  return pattern(name, /^\d{1,4},\d{1,4}$/, 'two numbers, such as 7,4')
    .default(fallback)
    .transform((text) => text.split(',').map(Number) as [number, number]);
}

/** A whole number from 1, in units of `worth`. */
export function whole(name: string, unit: string, worth: number) {
  return z
    .string()
    .regex(/^[1-9]\d{0,7}$/, {
      error: ({ input }) => `${name} takes a whole number of ${unit} from 1, not "${String(input)}".`,
    })
    .transform((text) => Number(text) * worth)
    .optional();
}

/** A comma-separated list. */
export function list(name: string, isValid: (item: string) => boolean, words: string) {
  return z
    .string()
    .default('')
    .transform((text, context): readonly string[] => {
      const items = text
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean);
      const wrong = items.find((item) => !isValid(item));
      if (wrong !== undefined)
        context.addIssue(`${name} takes ${words}, separated by commas, not "${wrong}".`);
      return Object.freeze(items);
    });
}

export function isProxy(item: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(item)) return true;
  const [address = '', bits, ...rest] = item.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  return (
    isIP(address) !== 0 &&
    rest.length === 0 &&
    (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most))
  );
}

export function isOrigin(item: string): boolean {
  return /^https?:\/\//.test(item) && URL.canParse(item) && new URL(item).origin === item;
}

/** The items of a JSON list, comma-separated; any other text as it is. */
export function listInJson(text: unknown): unknown {
  if (typeof text !== 'string' || !text.trim().startsWith('[')) return text;
  try {
    const items: unknown = JSON.parse(text);
    return Array.isArray(items) ? items.join(',') : text;
  } catch {
    return text;
  }
}

/** Whether a URL is whole, also the name and the password in it. */
export function isAddress(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/** Says so without the value, which may have a password in it. */
export function notAnAddress(name: string): string {
  return `${name} is no address: write /, # and % of a password as %2F, %23 and %25.`;
}
