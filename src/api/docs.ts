import { Router } from 'express';
import { visitor } from '../accounts/access.ts';
import { sendHtml, type Views } from '../http/views.ts';

/** `/api/docs`: the API for people. Swagger UI shows the document of `/api/v1/openapi.json`. */
export function docsRoutes({ views }: { views: Views }): Router {
  return Router().get('/api/docs', (request, response) => {
    sendHtml(response, views.page(request, 'api/docs.njk', { account: visitor(request) ?? null }));
  });
}
