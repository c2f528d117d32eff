import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Request, Response } from 'express';
import nunjucks from 'nunjucks';
import { isSecure } from './request.ts';
import { themeOf } from './theme.ts';

const FOLDER = fileURLToPath(new URL('../../views/', import.meta.url));

export type Context = Readonly<Record<string, unknown>>;

export type Views = {
  /** The versioned folder of static files. */
  assets: string;
  /** Renders a template or a partial, such as `messages/_message.njk`. An undefined value is an error. */
  render(template: string, context: Context): string;
  /** Renders a whole page with what every page needs: theme, connection, versioned addresses. */
  page(request: Request, template: string, context: Context): string;
  /** Compiles every template, so that nobody waits for it. */
  warm(): void;
};

/** @param assets the versioned folder of static files, such as `/assets/3f9a` */
export function createViews(assets: string): Views {
  const loader = new nunjucks.FileSystemLoader(FOLDER, { noCache: false, watch: false });
  const environment = new nunjucks.Environment(loader, {
    autoescape: true,
    throwOnUndefined: true,
    trimBlocks: true,
    lstripBlocks: true,
  });
  environment.addGlobal('assets', assets);
  const templates = new Map<string, nunjucks.Template>();

  function template(name: string): nunjucks.Template {
    const known = templates.get(name);
    if (known) return known;
    const compiled = environment.getTemplate(name, true);
    templates.set(name, compiled);
    return compiled;
  }

  const render: Views['render'] = (name, context) => template(name).render(context);

  return {
    assets,
    render,
    page: (request, name, context) =>
      render(name, {
        theme: themeOf(request),
        secure: isSecure(request),
        path: request.originalUrl,
        ...context,
      }),
    warm() {
      for (const file of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })) {
        if (file.endsWith('.njk')) template(file);
      }
    },
  };
}

/** Marks rendered HTML as such, so that it is not escaped a second time. */
export function asHtml(html: string): nunjucks.runtime.SafeString {
  return new nunjucks.runtime.SafeString(html);
}

/** Sends a page. Pages are somebody's own: no cache may keep one. */
export function sendHtml(response: Response, html: string, status = 200): void {
  const body = Buffer.from(html);
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Content-Length', body.byteLength);
  response.setHeader('Cache-Control', 'no-store');
  response.end(body);
}
