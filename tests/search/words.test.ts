import assert from 'node:assert/strict';
import test from 'node:test';
import { excerpt } from '../../src/search/present.ts';
import { fits } from '../../src/search/query.ts';
import { digitsOf } from '../../src/search/store.ts';
import { fold, indexKeys, queryKeys, queryWords, searchText } from '../../src/search/words.ts';
import { startOfDay } from '../../src/time-zones.ts';

const folded = (text: string) => queryWords(text).map((word) => word.folded);
const phrase = (text: string, isWhole = false) => [{ words: folded(text), isWhole }];

test('two spellings of a word are one: case, accents, widths, composed or not', () => {
  for (const [one, other] of [
    ['Café', 'CAFE\u0301'],
    ['ﬁn', 'fin'],
    ['Ｈｅｌｌｏ', 'hello'],
    ['Ёлка', 'елка'],
    ['Ωμέγα', 'ωμεγα'],
  ] as const)
    assert.equal(fold(one), fold(other));
  assert.notEqual(fold('が'), fold('か'), 'what is no accent stays');
  assert.notEqual(fold('की'), fold('क'));
});

test('every key that a query asks for is among those of a text that it means, in any script', () => {
  for (const [text, query] of [
    ['The gardeners met', 'garden'],
    ['The gardeners met', 'gardeners'],
    ['Donaudampfschifffahrt', 'donaudampfs'],
    ['今日は東京へ行きます', '東京'],
    ['今日は東京へ行きます', '京'],
    ['우리는 정원에서 만났다', '정원'],
    ['ฉันรักสวน', 'รัก'],
    ['Привет, друзья', 'друз'],
    ['see x86_64 notes', 'x86'],
    ['a b c', 'b'],
    ['Die Straße ist groß', 'strasse'],
    ['GROẞ', 'gross'],
    ['Smørrebrød und Ærø', 'smorrebrod'],
    ['Smørrebrød und Ærø', 'aero'],
    ['Łódź', 'lodz'],
    ['ılık', 'ilik'],
    ['λόγος', 'λογοσ'],
    ['مُحَمَّد', 'محمد'],
    ['שָׁלוֹם', 'שלום'],
    ['أحمد', 'احمد'],
    ['می‌خواهم', 'میخواهم'],
    ['Donau\u00addampfschiff', 'donaudampfschiff'],
    ['super\u200bcalifragilistic', 'supercali'],
    ['final_report_v2.pdf', 'report'],
    ['my_var_name', 'name'],
    ['my_var_name', 'my_var'],
    ['getUserName', 'username'],
    ['party 🎉 tonight', '🎉'],
    ['I ❤️ leeks', '❤'],
    ['I ❤️ leeks', '❤️'],
    ['I ❤️ leeks', 'I ❤️ leeks'],
    ['please _don’t touch_ this', 'don’t touch'],
    ['see _well-known_ facts', 'well-known'],
    ['mail _anna.b@example.org_ now', 'anna.b@example.org'],
    ['call __init__ first', '__init__'],
    ['**bold**ly going', 'boldly going'],
    ['half*way* there', 'halfway there'],
    ['**fol**low the path', 'follow'],
    ['ｻｰﾊﾞｰ再起動', 'サーバー'],
    ['サーバー再起動', 'ｻｰﾊﾞｰ'],
  ] as const) {
    const keys = indexKeys(text);
    for (const word of folded(query))
      for (const key of queryKeys(word)) assert.ok(keys.has(key), `${key} for ${query} in ${text}`);
    assert.ok(fits(text, phrase(query)), `${query} is in ${text}`);
  }
});

test('a hit matches prefixes of words, and whole phrases in order', () => {
  assert.ok(!fits('a regarding letter', phrase('gard')), 'not in the middle');
  assert.ok(fits('the green shed, tomorrow', phrase('green shed', true)));
  assert.ok(!fits('the shed is green', phrase('green shed', true)));
  assert.ok(!fits('the green sheds', phrase('green shed', true)), 'a phrase ends where it ends');
  assert.ok(fits("don't worry", phrase("don't")), 'a word with something in it is a phrase');
  assert.ok(fits('that was _really good_ today', phrase('really good today', true)), 'marks are no words');
  const names = 'the end of my_var, getUserName finished';
  for (const apart of ['finished var', 'var username', 'finished username'])
    assert.ok(!fits(names, phrase(apart, true)), `${apart} do not stand together`);
  assert.ok(!fits('constitution', phrase('constituency')), 'the same beginning is not the same word');
});

test('a message of 3,000 Chinese characters is found by its end', () => {
  const text = Array.from({ length: 3_000 }, (_, index) =>
    String.fromCodePoint(0x4e00 + ((index * 7_919) % 9_000)),
  );
  const keys = indexKeys(`${text.join('')}桑给巴尔岛`);
  for (const key of queryKeys('桑给巴尔')) assert.ok(keys.has(key), key);
});

test('an excerpt shows the first hit with all of them marked, as they were written', () => {
  const text = `${'long ago '.repeat(30)}the Gärtner and the gartner`;
  const pieces = excerpt(text, phrase('gartn'));
  assert.deepEqual(
    pieces.filter((piece) => piece.isHit).map((piece) => piece.text),
    ['Gärtn', 'gartn'],
  );
  assert.ok(pieces[0]?.text === '…' && pieces.map((piece) => piece.text).join('').length < 300);
  assert.deepEqual(
    excerpt('今日は東京へ', phrase('東京')).map((piece) => piece.text),
    ['今日は', '東京', 'へ'],
  );
});

test('a day begins when the clock of its zone begins it, also where midnight is skipped', () => {
  for (const [zone, year, month, day, start] of [
    ['America/Santiago', 2025, 8, 7, '2025-09-07T04:00:00.000Z'],
    ['America/Havana', 2026, 2, 8, '2026-03-08T05:00:00.000Z'],
    ['Atlantic/Azores', 2026, 2, 29, '2026-03-29T01:00:00.000Z'],
    ['Europe/Berlin', 2026, 2, 29, '2026-03-28T23:00:00.000Z'],
    ['America/Santiago', 2025, 8, 8, '2025-09-08T03:00:00.000Z'],
    ['UTC', 2026, 0, 32, '2026-02-01T00:00:00.000Z'],
  ] as const)
    assert.equal(new Date(startOfDay(zone, year, month, day)).toISOString(), start, zone);
});

test('a token has the digits that it always had', () => {
  const tokens = [0, 35, 36, 36 ** 5 - 1, 36 ** 5, 36 ** 5 + 1, 36 ** 9, 2 ** 47 + 12_345, 2 ** 48 - 1];
  assert.deepEqual(
    tokens.map(digitsOf),
    tokens.map((token) => token.toString(36)),
  );
});

test('a word of a million invisible characters, capitals or underscores is read at once', () => {
  const million = 1_000_000;
  // A pattern that could divide them in several ways would take days.
  for (const text of [
    `é${'\u200b'.repeat(million)}`,
    'é\u200b'.repeat(million / 2),
    'éÉ'.repeat(million / 2),
    'é_'.repeat(million / 2),
    `e${'_'.repeat(million)}é`,
  ])
    assert.equal(searchText(text).words[0]?.folded[0], 'e');
});
