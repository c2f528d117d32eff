import { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';

/** The classes that a server makes its requests and responses of. */
export type Exchange = Readonly<{
  IncomingMessage: typeof IncomingMessage;
  ServerResponse: typeof ServerResponse<IncomingMessage>;
}>;

/**
 * Classes whose objects have the prototypes of Express from the beginning. Express otherwise gives each request and response
 * another prototype, and V8 then keeps them until it next collects all of its memory: twelve kilobytes for each request,
 * which are copied before they are thrown away.
 */
export function exchangeOf(app: Express): Exchange {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  Object.assign(app, { request: AppRequest.prototype, response: AppResponse.prototype });
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse };
}
