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
  class AppRequest extends IncomingMessage {
    // The constructor of IncomingMessage sets `upgrade`, before fields of this class are there.
    declare isUpgrade: boolean | null;

    /** Whether Node hands the connection over instead of answering; any offer but WebSocket is passed over (RFC 9110, 7.8). */
    get upgrade(): boolean | null {
      return this.isUpgrade && (this.method === 'CONNECT' || isWebSocket(this.headers.upgrade));
    }

    set upgrade(isUpgrade: boolean | null) {
      this.isUpgrade = isUpgrade;
    }
  }
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  Object.assign(app, { request: AppRequest.prototype, response: AppResponse.prototype });
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse };
}

function isWebSocket(offer: string | undefined): boolean {
  return offer?.toLowerCase() === 'websocket';
}
