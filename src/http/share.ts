import type { Request } from 'express';
import { asHtml, type Context } from './views.ts';

/**
 * What a page shows of a link that is to be passed on: its whole address, its QR code as SVG, and whether the address
 * means this machine only, so that nobody else can open it.
 * @param path a path of ours, with its slash
 */
export async function shared(request: Request, path: string): Promise<Context> {
  const { isSecure, host, way } = request.arrival;
  const address = `${isSecure ? 'https' : 'http'}://${host}${path}`;
  return { address, qr: await qrOf(address), isForThisMachineOnly: way === 'local' };
}

/** A text as a QR code, in SVG. */
export async function qrOf(text: string) {
  const { default: QRCode } = await import('qrcode');
  return asHtml(await QRCode.toString(text, { type: 'svg', margin: 2 }));
}
