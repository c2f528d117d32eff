import assert from 'node:assert/strict';
import test from 'node:test';
import { excerpt } from '../../src/search/present.ts';
import { fits } from '../../src/search/query.ts';
import { digitsOf } from '../../src/search/store.ts';
import { fold, indexKeys, queryKeys, queryWords, wordsOf } from '../../src/search/words.ts';

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

test('a hit is one: beginnings of words, phrases whole and in order', () => {
  assert.ok(!fits('a regarding letter', phrase('gard')), 'not in the middle');
  assert.ok(fits('the green shed, tomorrow', phrase('green shed', true)));
  assert.ok(!fits('the shed is green', phrase('green shed', true)));
  assert.ok(!fits('the green sheds', phrase('green shed', true)), 'a phrase ends where it ends');
  assert.ok(fits("don't worry", phrase("don't")), 'a word with something in it is a phrase');
  assert.ok(!fits('constitution', phrase('constituency')), 'the same beginning is not the same word');
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
  ])
    assert.equal(wordsOf(text)[0]?.folded[0], 'e');
});
