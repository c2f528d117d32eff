import { type BoundOperation, identified, parseInput } from '../operations/define.ts';
import { requireScope } from '../operations/scopes.ts';
import type { Connection } from './connection.ts';
import type { Hub } from './hub.ts';
import type { Commands } from './socket.ts';

/**
 * A socket command for each operation. Its `id`, where it has one, comes back with the acknowledgement.
 * @param targetOf what a command is about; it is looked up for each command
 */
export function commandsOf<Target>(
  hub: Hub,
  operations: readonly BoundOperation<Target>[],
  targetOf: (connection: Connection, body: unknown) => Target | Promise<Target>,
): Commands {
  const commands = operations.map((operation): [string, Commands[string]] => [
    operation.name,
    async (connection, body) => {
      requireScope(connection.scopes, operation.scope);
      const { id } = parseInput(identified, body);
      const outcome = await operation.run(await targetOf(connection, body), body);
      if (id === undefined && operation.isQuiet) return;
      // As it was sent: ids of messages are compared in lower case.
      hub.sendFact(connection, 'ack', { ...outcome, id: id ?? outcome.id });
    },
  ]);
  return Object.fromEntries(commands);
}
