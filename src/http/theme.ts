import { type Request, Router } from 'express';
import { z } from 'zod';
import { parseInput } from '../operations/define.ts';
import { ownPath, seeOther } from './request.ts';

export type Theme = 'system' | 'light' | 'dark';

const ONE_YEAR_MS = 365 * 86_400_000;

const form = z.object({
  theme: z.enum(['system', 'light', 'dark'], 'Choose light, dark or the same as this device.'),
  back: z.unknown().transform(ownPath),
});

/** `POST /theme`: remembers light, dark or the system's choice in this browser; works without an account. */
export function themeRoutes(): Router {
  return Router().post('/theme', (request, response) => {
    const { theme, back } = parseInput(form, request.body);
    response.cookie('theme', theme, {
      maxAge: ONE_YEAR_MS,
      sameSite: 'lax',
      secure: request.arrival.isSecure,
    });
    seeOther(response, back);
  });
}

/** The theme that was chosen in this browser, from its cookie. */
export function themeOf(request: Request): Theme {
  const chosen = /(?:^|;\s*)theme=(light|dark)(?:;|$)/.exec(request.headers.cookie ?? '')?.[1];
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}
