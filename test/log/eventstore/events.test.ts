import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventStoreAddress } from '../../../log/eventstore-address.ts';
import { eventOf, rowOfEvent } from '../../../log/eventstore-events.ts';
import { sha256 } from '../../../log/hash.ts';
import type { Row } from '../../../log/row.ts';

/** JSON as programs write it, and as they do not. */
const jsonTexts = fc
  .tuple(fc.jsonValue(), fc.constantFrom(undefined, 1), fc.constantFrom('', ' ', '\n'))
  .map(([value, indent, blank]) => JSON.stringify(value, null, indent) + blank);

test('a row comes back from its event as it was, whatever its data looks like', () => {
  const texts = fc.oneof(jsonTexts, fc.string(), fc.constantFrom('12345678901234567890', '1.0'));
  const rows = fc
    .tuple(fc.nat(), fc.option(fc.string()), fc.string(), fc.nat(), fc.string(), texts, fc.string())
    .map(([position, time, id, schema, type, data, seed]): Row => {
      return [position, time, id, schema, type, data, sha256(seed)];
    });
  fc.assert(
    fc.property(rows, (row) => {
      const { type, data, metadata } = eventOf(row);
      // As a server keeps it, and a client reads it.
      const stored = JSON.parse(JSON.stringify({ data, metadata })) as typeof metadata;
      const event = {
        revision: BigInt(row[0]),
        type,
        isJson: true,
        ...stored,
        data: stored['data'],
      };
      expect(rowOfEvent(event)).toEqual(row);
    }),
  );
});

test.each([
  { isJson: false },
  { data: 2 },
  { revision: 4n },
  { metadata: undefined },
  { metadata: new Uint8Array([1]) },
  { metadata: { position: 3 } },
])('content that is no row is refused: %o', (change) => {
  const { type, data, metadata } = eventOf([3, null, 'x', 1, 't', '{ "a": 1 }', sha256('')]);
  const event = { revision: 3n, type, isJson: true, data, metadata };
  expect(rowOfEvent(event)[6]).toBe(sha256(''));
  expect(() => rowOfEvent({ ...event, ...change })).toThrow(/no event of a log/);
});

test.each([
  ['esdb://localhost', 'esdb://localhost?maxDiscoverAttempts=2'],
  ['esdb://ann:se%2Fcret@a:1,b:2/?TLS=false', 'esdb://a:1,b:2?maxDiscoverAttempts=2&tls=false'],
  ['kurrentdb+discover://a.b:2113', 'kurrentdb+discover://a.b:2113?maxDiscoverAttempts=2'],
])('the client gets an address without credentials: %s', (address, connectionString) => {
  expect(eventStoreAddress(address)).toMatchObject({ connectionString });
});

test('credentials are decoded, and the password may have a colon', () => {
  const { credentials } = eventStoreAddress('esdb://ann:se%40c:ret@localhost');
  expect(credentials).toEqual({ username: 'ann', password: 'se@c:ret' });
});

test.each([
  'esdb://',
  'esdb://ann:secret@',
  'esdb://ann:se?cret@localhost',
  'esdb://ann:se/cret@local/host',
  'esdb://ann:secret@localhost?unknown=1',
  'esdb://ann:secret@localhost?tls',
  'esdb://ann:secret@localhost?defaultDeadline=soon',
  'esdb://ann%:secret@localhost',
  'esdb://secret@localhost',
  'esdb://ann:secret@localhost:port',
])('a wrong address is refused, and its password not shown: %s', (address) => {
  let message = '';
  try {
    eventStoreAddress(address);
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-request' });
    ({ message } = error as Error);
  }
  expect(message).toMatch(/^esdb:\/\//);
  expect(message).not.toMatch(/secret|ann/);
});
