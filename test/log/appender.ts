/**
 * A program that appends operations to a log, and says of each when it is durable:
 *
 *     node appender.ts LOG BY ROUNDS OPERATIONS [stay]
 *
 * In each round it opens the log, appends so many operations and closes it; with `stay` it closes
 * only when its standard input ends. A line is `opening`, `open`, `NAME POSITION HASH` or `closed`.
 *
 * @module
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../log/sqlite.ts';
import { operation, STREAM } from './operations.ts';

const [log = '', by = '', rounds = '', operations = '', stay] = process.argv.slice(2);

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

for (let n = 0; n < Number(rounds) * Number(operations);) {
  say('opening');
  const store = openSqliteStore(log);
  say('open');
  let { position } = await store.head(STREAM);
  for (const end = n + Number(operations); n < end;) {
    try {
      const { head } = await store.append(STREAM, position, operation(Number(by), n));
      position = head.position;
      say(`${by}.${n++} ${head.position} ${head.hash}`);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'RevisionConflictError') throw error;
      position = (error as Error & { readonly actual: number }).actual;
    }
  }
  if (stay === 'stay') for await (const _ of process.stdin);
  await store.close();
  say('closed');
}
