import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import type { Visitor } from './client.ts';
import { until } from './until.ts';

/** A ZIP of these files. */
export async function zipOf(entries: Record<string, string | Buffer>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(entries)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  return buffer(zip.outputStream);
}

/** Uploads an archive. @returns the path of its page, or the refusal */
export async function upload(person: Visitor, name: string, bytes: Buffer, zone = 'UTC') {
  const file = { field: 'archive', name, type: 'application/zip', bytes };
  return person.upload('/admin/imports', [file], { zone });
}

/** Uploads an archive, begins to bring it in, and waits for the end. */
export async function bringIn(
  person: Visitor,
  name: string,
  bytes: Buffer,
  form: Record<string, string> = {},
  zone = 'UTC',
) {
  const { location, body } = await upload(person, name, bytes, zone);
  assert.match(location, /^\/admin\/imports\/\d+$/, body.slice(0, 3_000));
  const started = await person.post(`${location}/start`, form);
  assert.equal(started.status, 303, started.body.slice(0, 3_000));
  return { path: location, ...(await finished(person, location)) };
}

/** Waits until an import is done or has failed. */
export async function finished(person: Visitor, path: string) {
  const body = await until(async () => {
    const answer = await person.get(path);
    return !answer.body.includes('<progress') && answer.body;
  }, 'it is done');
  const link = /href="\/groups\/(\d+)">[^<]+<\/a> <span class="muted">\d+ message/;
  return { body, groupId: Number(link.exec(body)?.[1]) };
}
