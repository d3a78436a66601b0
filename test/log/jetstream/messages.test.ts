import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostOf, rowsOf, subjectOf } from '../../../log/jetstream-messages.ts';
import { entryOf, isStreamName, type Row, rowsAfter } from '../../../log/row.ts';
import { CorruptLogError } from '../../../log/store.ts';
import { genesisOf } from '../../../log/hash.ts';
import { closedMany } from '../sample.ts';

const names = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('a', '.', '*', '>', '%', ' ', '\u00a0', 'é') }),
  )
  .filter(isStreamName);

describe('the subject of a host', () => {
  test('is one token after the name of the log, whatever the name of the host', () => {
    fc.assert(
      fc.property(names, (host) => {
        expect(subjectOf('log', host)).toMatch(/^log\.[\w%~!'()-]+$/);
        expect(hostOf('log', subjectOf('log', host))).toBe(host);
      }),
    );
  });

  test.each([
    ['gpu-host_1', 'log.gpu-host_1'],
    ['node.example.org', 'log.node%2Eexample%2Eorg'],
    ['a *>%', 'log.a%20%2A%3E%25'],
    ['rüdiger', 'log.r%C3%BCdiger'],
  ])('of %j is %s', (host, subject) => {
    expect(subjectOf('log', host)).toBe(subject);
  });

  test.each(['log.%', 'log.a%2e', 'log.%61', 'log.%ff'])('%s is of no host', (subject) => {
    expect(hostOf('log', subject)).toBeUndefined();
  });
});

describe('a message', () => {
  const rows = rowsAfter({ position: 6, hash: genesisOf('a') }, closedMany(3).map(entryOf));
  const stored = (position: unknown, content: unknown) => ({
    sequence: 40,
    position: String(position),
    text: typeof content === 'string' ? content : JSON.stringify(content),
  });

  test('has the rows of an append', () => {
    expect(rowsOf(stored(7, rows))).toEqual(rows);
  });

  const row = rows[0] as Row;
  test.each([
    ['no JSON', 7, 'events', 7],
    ['no rows', 7, [], 7],
    ['something else', 7, { rows }, 7],
    ['a row that is too short', 7, [row.slice(1)], 7],
    ['a row with a number for its data', 7, [row.with(5, 1)], 7],
    ['another position than it says', 8, rows, 7],
    ['no position', '', rows, 7],
  ])('with %s is damage', (_, position, content, at) => {
    const read = () => rowsOf(stored(position, content));
    expect(read).toThrow(CorruptLogError);
    expect(read).toThrow(expect.objectContaining({ position: at }));
    expect(read).toThrow(/message 40 of the server/);
  });
});
