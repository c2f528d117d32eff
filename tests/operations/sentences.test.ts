import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';
import { ChatError } from '../../src/errors.ts';
import { conversationOperations } from '../../src/messages/conversation-operations.ts';
import { messageOperations } from '../../src/messages/operations.ts';
import { parseInput } from '../../src/operations/define.ts';
import { ACCOUNT_OPERATIONS, GROUP_OPERATIONS } from '../support/operations.ts';

const OPERATIONS: { name: string; input: z.ZodType; prepare(body: unknown): unknown }[] = [
  ...conversationOperations,
  ...messageOperations,
  ...GROUP_OPERATIONS,
  ...Object.values(ACCOUNT_OPERATIONS).flat(),
];
const WRONG = [-1, 1.5, 1e300, true, null, {}, [], [{}], ['x'.repeat(100_000)], 'x'.repeat(100_000), '\0'];

function refusalOf(operation: (typeof OPERATIONS)[number], body: unknown): string | undefined {
  try {
    operation.prepare(body);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ChatError && error.status === 400, `${operation.name}: ${error}`);
    return error.message;
  }
}

test('whatever a field is given, the refusal is a sentence of ours', () => {
  let refused = 0;
  for (const operation of OPERATIONS) {
    const { properties = {} } = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' });
    for (const body of ['text', [], 7, ...Object.keys(properties).flatMap(bodiesOf)]) {
      const sentence = refusalOf(operation, body);
      if (sentence === undefined) continue;
      refused += 1;
      const isObject = typeof body === 'object' && !Array.isArray(body);
      assert.equal(
        /^Send the fields as/.test(sentence),
        !isObject,
        `${operation.name} ${JSON.stringify(body)}`,
      );
      assert.match(sentence, /^["A-Z].*[.?]$/, `${operation.name} ${JSON.stringify(body).slice(0, 60)}`);
      assert.doesNotMatch(
        sentence,
        /expected|^Invalid|^Too |cannot be read/,
        `${operation.name}: ${sentence}`,
      );
    }
  }
  assert.ok(refused > 500, `${refused} were refused`);

  function bodiesOf(name: string): object[] {
    return WRONG.map((value) => ({ [name]: value }));
  }
});

test('rules without a sentence have one made of the field and the rule', () => {
  const input = z.object({
    a: z.string().max(3).optional(),
    b: z.int().min(2).optional(),
    c: z.array(z.string()).max(2).optional(),
    d: z.enum(['x', 'y']).optional(),
    e: z.object({ f: z.boolean() }).optional(),
  });
  const sentences = [
    [{ a: 'long' }, '"a" has at most 3 characters.'],
    [{ a: 7 }, '"a" takes text.'],
    [{ b: 1 }, '"b" is at least 2.'],
    [{ c: ['1', '2', '3'] }, '"c" has at most 2 entries.'],
    [{ d: 'z' }, '"d" takes x, y.'],
    [{ e: {} }, '"e.f" is missing.'],
    ['text', 'Send the fields as a JSON object or a form.'],
  ] as const;
  for (const [body, sentence] of sentences)
    assert.throws(() => parseInput(input, body), { message: sentence, status: 400 });
});
