import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { createBlindIndex, foldCase } from '../../src/crypto/blind-index.ts';
import { createCipher } from '../../src/crypto/cipher.ts';
import { addKey, loadKeyring, retireOldKeys } from '../../src/crypto/keys.ts';
import { temporaryFolder } from '../support/hearth.ts';

const key = () => randomBytes(32).toString('hex');
const keyring = (text: string) => loadKeyring(text, '', false);

test('opens what it sealed, and seals the same text differently each time', () => {
  const cipher = createCipher(keyring(key()), 'messages');
  const sealed = cipher.seal('a', 'grüße 🌱');
  assert.equal(cipher.open('a', sealed), 'grüße 🌱');
  assert.ok(!sealed.equals(cipher.seal('a', 'grüße 🌱')));
  assert.ok(!sealed.includes('gr'));
});

test('does not open what was moved, changed, cut, or sealed for another purpose or with another key', () => {
  const text = key();
  const cipher = createCipher(keyring(text), 'messages');
  const sealed = cipher.seal('messages/1/a', 'secret');
  assert.throws(() => cipher.open('messages/1/b', sealed));
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => cipher.open('messages/1/a', changed), `byte ${at}`);
  }
  assert.throws(() => cipher.open('messages/1/a', sealed.subarray(0, 20)));
  assert.throws(() => createCipher(keyring(text), 'accounts').open('messages/1/a', sealed));
  assert.throws(() => createCipher(keyring(key()), 'messages').open('messages/1/a', sealed));
});

test('with two keys the first seals and both open', () => {
  const [old, fresh] = [key(), key()];
  const before = createCipher(keyring(old), 'messages').seal('a', 'old');
  const cipher = createCipher(keyring(`${fresh},${old}`), 'messages');
  assert.equal(cipher.open('a', before), 'old');
  assert.equal(cipher.isCurrent(before), false);
  assert.equal(cipher.isCurrent(cipher.seal('a', 'new')), true);
});

test('a first start makes a key that only its owner can read; a later one without it is refused', (t) => {
  const folder = temporaryFolder(t);
  const made = loadKeyring(undefined, folder, true);
  const file = join(folder, 'keys', '0001.key');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(loadKeyring(undefined, folder, false).current.id, made.current.id);
  rmSync(file);
  assert.throws(() => loadKeyring(undefined, folder, false), /holds no key for the data/);
});

test('the next key seals, and the old one is put aside', (t) => {
  const folder = temporaryFolder(t);
  const first = loadKeyring(undefined, folder, true).current;
  addKey(folder);
  const both = loadKeyring(undefined, folder, false);
  assert.equal(both.all.length, 2);
  assert.notDeepEqual(both.current.id, first.id);
  retireOldKeys(folder);
  assert.deepEqual(readdirSync(join(folder, 'keys')), ['0001.key.retired', '0002.key']);
});

test('a key that is not 32 bytes is refused', () => {
  assert.throws(() => keyring('abc'), /32 bytes/);
  assert.throws(() => keyring(`${key()},short`), /32 bytes/);
});

test('the blind index finds equal words under one key, and nothing under another', () => {
  const [one, other] = [createBlindIndex(randomBytes(32)), createBlindIndex(randomBytes(32))];
  assert.deepEqual(one(foldCase('Garden')), one(foldCase('gARDEN')));
  assert.notDeepEqual(one('garden'), one('gardens'));
  assert.notDeepEqual(one('garden'), other('garden'));
});
