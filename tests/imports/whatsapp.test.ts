import assert from 'node:assert/strict';
import test from 'node:test';
import type { DateOrder } from '../../src/imports/source.ts';
import { readWhatsapp, readWhatsappInTurns } from '../../src/imports/whatsapp.ts';

const entries = new Map([
  ['IMG-20201231-WA0001.jpg', 'IMG-20201231-WA0001.jpg'],
  ['00000012-PHOTO-2020-12-31-23-59-59.jpg', '00000012-PHOTO-2020-12-31-23-59-59.jpg'],
]);

function read(text: string, zone = 'UTC', dates?: DateOrder) {
  return readWhatsapp(text, 'Family', entries, { zone, dates }) ?? assert.fail(`not read: ${text}`);
}

test('the times of phones of many languages are read', () => {
  const evening = '2020-12-31T23:59:00.000Z';
  const lines = [
    '31.12.20, 23:59 - Ada: hello',
    '31/12/2020, 23:59 - Ada: hello',
    '12/31/20, 11:59 PM - Ada: hello',
    '12/31/20, 11:59\u202fPM - Ada: hello',
    '[31.12.20, 23:59:00] Ada: hello',
    '\u200e[12/31/20, 11:59:00 PM] Ada: hello',
    '2020-12-31, 23:59 - Ada: hello',
    '2020-12-31 23:59 - Ada: hello',
    '31-12-20 23:59 - Ada: hello',
    '31/12/20 23:59 - Ada: hello',
    '31/12/2020 à 23:59 - Ada: hello',
    '31.12.2020 klo 23.59 - Ada: hello',
    '31/12/20, 11:59 p. m. - Ada: hello',
    '31/12/20 11:59 p.m. - Ada: hello',
    '2020/12/31 23:59 - Ada: hello',
    '2020年12月31日 下午11:59 - Ada: hello',
    '2020. 12. 31. 오후 11:59, Ada : hello',
    '2020년 12월 31일 오후 11:59, Ada : hello',
    '٣١/١٢/٢٠٢٠, ١١:٥٩ م - Ada: hello',
    '[31/12/2020, 23:59:00] ~ Ada: hello',
  ];
  for (const line of lines) {
    const { messages } = read(line);
    const [message] = messages;
    assert.equal(messages.length, 1, line);
    assert.equal(new Date(message?.at ?? 0).toISOString(), evening, line);
    assert.match(message?.author ?? '', /^(?:~ )?Ada$/, line);
    assert.equal(message?.text, 'hello', line);
  }
  assert.equal(new Date(read('12/31/20, 12:05 AM - Ada: x').messages[0]?.at ?? 0).getUTCHours(), 0);
  assert.equal(new Date(read('12/31/20, 12:05 PM - Ada: x').messages[0]?.at ?? 0).getUTCHours(), 12);
});

test('the order of day and month is what the chat says, or asked for', () => {
  const dayOf = (text: string, dates?: DateOrder) => {
    const { messages, outline } = read(text, 'UTC', dates);
    return [new Date(messages[0]?.at ?? 0).toISOString().slice(0, 10), outline.isAmbiguous];
  };
  assert.deepEqual(dayOf('05/04/20, 10:00 - Ada: x\n13/04/20, 10:00 - Ada: y'), ['2020-04-05', false]);
  assert.deepEqual(dayOf('05/04/20, 10:00 - Ada: x\n05/14/20, 10:00 - Ada: y'), ['2020-05-04', false]);
  assert.deepEqual(
    dayOf('01/02/20, 10:00 - Ada: x\n02/02/20, 10:00 - Ada: y\n01/03/20, 10:00 - Ada: z'),
    ['2020-02-01', false],
    'time goes forward',
  );
  assert.deepEqual(dayOf('05/04/20, 10:00 - Ada: x'), ['2020-04-05', true]);
  assert.deepEqual(dayOf('05/04/20, 10:00 - Ada: x', 'mdy'), ['2020-05-04', false]);
});

test('a zone with summer time is that of the phone', () => {
  const at = (line: string) => new Date(read(line, 'Europe/Berlin').messages[0]?.at ?? 0).toISOString();
  assert.equal(at('13.01.20, 12:00 - Ada: x'), '2020-01-13T11:00:00.000Z');
  assert.equal(at('13.07.20, 12:00 - Ada: x'), '2020-07-13T10:00:00.000Z');
  assert.equal(at('29.03.20, 03:30 - Ada: x'), '2020-03-29T01:30:00.000Z');
});

test('lines that follow, notices, names and files are told apart', () => {
  const { messages, outline } = read(
    [
      '31.12.20, 10:00 - Messages and calls are end-to-end encrypted.',
      '31.12.20, 10:00 - Ada added Joe',
      '31.12.20, 10:01 - Ada changed the subject from "a" to "b: c"',
      '31.12.20, 10:02 - Ada: two',
      '',
      'lines: here',
      '31.12.20, 10:03 - +49 170 1234567: hi',
      '31.12.20, 10:03 - +49 170 1234567: hi',
      '31.12.20, 10:04 - Ada: \u200eIMG-20201231-WA0001.jpg (Datei angehängt)',
      'with a caption',
      '[31.12.20, 10:05:07] a line of another program: in a message',
      '31.12.20, 10:06 - Ada: missing.jpg (file attached)',
      '31.12.20, 10:07 - Ada: ٣ eggs at 10:30 - ok',
      '31.12.20, 10:08 - Joe: ',
    ].join('\r\n'),
  );
  assert.equal(outline.notices, 3);
  assert.deepEqual(
    messages.map(({ author, text, files }) => [author, text, files.map(({ name }) => name).join()]),
    [
      ['Ada', 'two\n\nlines: here', ''],
      ['+49 170 1234567', 'hi', ''],
      ['+49 170 1234567', 'hi', ''],
      [
        'Ada',
        'with a caption\n[31.12.20, 10:05:07] a line of another program: in a message',
        'IMG-20201231-WA0001.jpg',
      ],
      ['Ada', 'missing.jpg (file attached)', ''],
      ['Ada', '٣ eggs at 10:30 - ok', ''],
      ['Joe', '', ''],
    ],
  );
  assert.equal(new Set(messages.map(({ key }) => key)).size, messages.length, 'keys are unique');
  assert.deepEqual(
    outline.people.map(({ name, messages: count }) => [name, count]),
    [
      ['Ada', 4],
      ['+49 170 1234567', 2],
      ['Joe', 1],
    ],
  );
  assert.equal(readWhatsapp('A text\nof something else', 'x', entries, { zone: 'UTC' }), undefined);
});

test('on an iPhone, a conversation of two is called as one of them, whose pictures and words are no notices', () => {
  const { messages, outline } = readWhatsapp(
    [
      '\u200e[27.11.25, 09:14:00] Bob: \u200eMessages and calls are end-to-end encrypted.',
      '[27.11.25, 09:15:00] Ada: Hello',
      '\u200e[27.11.25, 09:16:00] Bob: \u200e<attached: 00000012-PHOTO-2020-12-31-23-59-59.jpg>',
      '\u200e[27.11.25, 09:17:00] Bob: \u200eimage omitted',
    ].join('\r\n'),
    'Bob',
    entries,
    { zone: 'UTC' },
  ) ?? { messages: [], outline: undefined };
  assert.equal(outline?.notices, 1);
  assert.deepEqual(
    messages.map(({ author, text, files }) => [author, text, files[0]?.name]),
    [
      ['Ada', 'Hello', undefined],
      ['Bob', '', '00000012-PHOTO-2020-12-31-23-59-59.jpg'],
      ['Bob', 'image omitted', undefined],
    ],
  );
});

test('on an iPhone: what the app says is a notice, a document is a file, a pasted date changes nothing', () => {
  const { messages, outline } = readWhatsapp(
    [
      '\u200e[31.12.20, 10:00:00] Familie: \u200eNachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt.',
      '\u200e[31.12.20, 10:00:01] Ada L: \u200eAda L hat diese Gruppe erstellt.',
      '\u200e[31.12.20, 10:05:07] Joe "the Boss" Smith: \u200e<pièce jointe : 00000012-PHOTO-2020-12-31-23-59-59.jpg>',
      '\u200e[31.12.20, 10:06:00] Ada L: Report.pdf • \u200e3 Seiten \u200e<Anhang: 00000007-Report.pdf>',
      '[01.01.21, 10:07:00] Ada L: the log says',
      '2021-03-05 10:22:33, ERROR: disk full',
    ].join('\r\n'),
    'Familie',
    new Map([...entries, ['00000007-Report.pdf', '00000007-Report.pdf']]),
    { zone: 'UTC' },
  ) ?? { messages: [], outline: undefined };
  assert.equal(outline?.notices, 2);
  assert.deepEqual(
    messages.map(({ author, text, files, at }) => [
      author,
      text,
      files[0]?.name,
      new Date(at).getUTCFullYear(),
    ]),
    [
      ['Joe "the Boss" Smith', '', '00000012-PHOTO-2020-12-31-23-59-59.jpg', 2020],
      ['Ada L', '', '00000007-Report.pdf', 2020],
      ['Ada L', 'the log says\n2021-03-05 10:22:33, ERROR: disk full', undefined, 2021],
    ],
  );
});

test('a line of a million spaces is read at once', () => {
  // A pattern that tries each way to divide them would take half an hour.
  assert.equal(read(`31.12.20, 23:59 - Ada: hello\n1.1.20${' '.repeat(1_000_000)}x`).messages.length, 1);
});

test('a long chat is read like a short one, and others have their turn meanwhile', async () => {
  const text = Array.from({ length: 20_000 }, (_, index) => `31.12.20, 23:59 - Ada: line ${index}`).join(
    '\n',
  );
  let turns = 0;
  const count = () => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  const inTurns = await readWhatsappInTurns(text, 'Family', new Map(), { zone: 'UTC' });
  clearImmediate(timer);
  assert.deepEqual(inTurns, readWhatsapp(text, 'Family', new Map(), { zone: 'UTC' }));
  assert.ok(turns >= 10, `${turns} turns`);
});
