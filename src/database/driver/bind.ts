import type Sqlite from 'better-sqlite3';
import { is, Param, Placeholder } from 'drizzle-orm';
import type { Write } from '../executor.ts';

type Values = Readonly<Record<string, unknown>>;
/** A statement that Drizzle has prepared. */
type Prepared = Write & { getQuery(): { sql: string; params: unknown[] } };

/**
 * Prepared writes, bound here. Drizzle asks of each parameter what class it has whenever a statement runs, which takes
 * as long as inserting the row; here that is asked once. Statements that return rows stay as they are.
 */
export function bindWrites<Statements>(sqlite: Sqlite.Database, statements: Statements): Statements {
  const bound = Object.entries(statements as Record<string, Prepared>).map(([name, prepared]) => [
    name,
    bindWrite(sqlite, prepared),
  ]);
  // Safe cast: stores only hand these to an Executor, which calls what a bound write has.
  return Object.fromEntries(bound) as Statements;
}

function bindWrite(sqlite: Sqlite.Database, prepared: Prepared): Write {
  const { sql, params } = prepared.getQuery();
  const statement = sqlite.prepare(sql);
  if (statement.reader) return prepared;
  const readers = params.map(readerOf);
  return { run: (values = {}) => statement.run(readers.map((read) => read(values))) };
}

/** How a parameter is read from the values of the placeholders. */
function readerOf(param: unknown): (values: Values) => unknown {
  if (is(param, Placeholder)) {
    const { name } = param;
    return (values) => placeholderValue(values, name);
  }
  if (is(param, Param) && is(param.value, Placeholder)) {
    const { encoder, value } = param;
    const { name } = value;
    return (values) => encoder.mapToDriverValue(placeholderValue(values, name));
  }
  return () => param;
}

/** @throws Error for a missing value, which would otherwise be written as NULL */
function placeholderValue(values: Values, name: string): unknown {
  if (!(name in values)) throw new Error(`The placeholder ${name} has no value.`);
  return values[name];
}
