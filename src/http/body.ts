import { finished } from 'node:stream/promises';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { ChatError, diskFull, tooLargeForm, unreadable } from '../errors.ts';

const MAX_FIELDS = 1_100;
/** More than a form of MAX_FORM_BYTES can have. */
const ALL_FIELDS = 50_000;
/** 8,000 characters of four bytes each, as a form encodes them. */
const MAX_FORM_BYTES = 128 * 1024;

/** Reads plain forms into `request.body`. @param large the paths of forms with fields for each person of an archive */
export function readForms(large?: RegExp): RequestHandler {
  const reader = (parameterLimit: number) =>
    refusing(express.urlencoded({ extended: false, limit: MAX_FORM_BYTES, parameterLimit }));
  const usual = reader(MAX_FIELDS);
  const all = reader(ALL_FIELDS);
  return (request, response, next) => (large?.test(request.path) ? all : usual)(request, response, next);
}

/**
 * Reads JSON into `request.body`.
 * @param limit in the notation of body-parser, such as `2mb`
 * @param broken the refusal of what is no JSON, where the client is a program
 */
export function readJson(limit: string, broken = unreadable): RequestHandler {
  return refusing(express.json({ limit }), broken);
}

/** Reads a body of whatever type as text into `request.body`. @param limit in the notation of body-parser */
export function readText(limit: string): RequestHandler {
  return refusing(express.text({ type: () => true, limit }));
}

/** Treats parser errors as client errors: broken encodings and compression, truncated bodies. */
function refusing(parser: RequestHandler, broken = unreadable): RequestHandler {
  return (request, response, next) =>
    request.method === 'GET'
      ? next()
      : parser(request, response, (error?: unknown) =>
          next(error === undefined ? undefined : asRefusal(error, broken)),
        );
}

/** Maps an error of a body parser to a ChatError; an error of this machine is returned unchanged. */
export function asRefusal(thrown: unknown, broken = unreadable): unknown {
  if (thrown instanceof ChatError || diskFull(thrown) || isSystemError(thrown)) return thrown;
  const isTooLarge = thrown instanceof Error && 'type' in thrown && thrown.type === 'entity.too.large';
  return isTooLarge ? tooLargeForm() : broken();
}

/**
 * Runs a multipart reader. A field named like `a[b]` would become an object, which no form of ours has.
 * @throws ChatError 400 for what cannot be read
 */
export async function readMultipart(
  read: RequestHandler,
  request: Request,
  response: Response,
  asOwnRefusal: (thrown: unknown) => unknown,
): Promise<void> {
  const failure = await new Promise<unknown>((resolve) => {
    read(request, response, resolve);
  });
  if (failure) throw asRefusal(asOwnRefusal(failure));
  const values: unknown[] = Object.values(request.body ?? {}).flat();
  if (values.some((value) => typeof value !== 'string')) {
    request.body = {};
    throw unreadable();
  }
}

/** Reads a body and keeps nothing of it: browsers show no answer to a form that they could not send to its end. */
export async function discardBody(request: Request): Promise<void> {
  request.resume();
  // Where the sender goes away, nobody waits for the answer.
  await finished(request).catch(() => {});
}

function isSystemError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown;
}
