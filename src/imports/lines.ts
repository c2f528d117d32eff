import { invalid } from '../errors.ts';

/** A line of an archive is a message with its replies. */
const MAX_LINE_CHARACTERS = 20_000_000;

/**
 * The lines of a text as it arrives, without its byte order mark: a long one is neither held in memory nor does anybody
 * wait for it.
 * @throws ChatError 400 for a line that is longer than any message
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    pieces.push(first);
    length += first.length;
    if (length > MAX_LINE_CHARACTERS)
      throw invalid(
        'archive',
        'A line of this archive is longer than any message. It is not read.',
        'too_large',
      );
    for (const next of others) {
      yield pieces.join('');
      pieces = [next];
      length = next.length;
    }
  }
  pieces.push(decoder.decode());
  const last = pieces.join('');
  if (last !== '') yield last;
}
