import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Sighting } from '../../../evidence/sighting.ts';
import { looksLikeStrace, straceParser } from '../../../evidence/strace/parser.ts';

const read = (name: string) => {
  const lines = readFileSync(new URL(`../guest/${name}.txt`, import.meta.url), 'utf8').split('\n');
  const parser = straceParser();
  const sightings = lines.flatMap((line) => parser.line(line));
  expect(looksLikeStrace(lines[0] ?? '')).toBe(true);
  expect(parser.end()).toEqual([]);
  return { clock: parser.clock, sightings };
};

const count = (sightings: readonly Sighting[]) => {
  const counts: Record<string, number> = {};
  for (const { did } of sightings) counts[did] = (counts[did] ?? 0) + 1;
  return counts;
};

const common = { exec: 1, fork: 10, dup: 81, open: 21, ioctl: 20, close: 13, send: 1, exit: 4 };

test.each([
  ['strace-7.3', 'wall', { ...common, receive: 1 }],
  ['strace-6.1', 'wall', common],
  ['strace-6.1-decoder', 'none', { close: 1, ioctl: 18 }],
  ['strace-6.1-fd-lineage', 'wall', { close: 6, fork: 1, send: 1, receive: 1, exit: 2 }],
])('%s', (name, clock, counts) => {
  const recorded = read(name);
  expect(recorded.clock).toBe(clock);
  expect(count(recorded.sightings)).toEqual(counts);
});

test('a bind that is refused', () => {
  const { sightings } = read('strace-7.3');
  expect(sightings.find((one) => one.did === 'ioctl' && 'errno' in one.result)).toEqual({
    did: 'ioctl',
    on: { fd: 6, path: '/dev/vfio/devices/vfio3' },
    requests: [0x3b76],
    words: { value: 0x7ffc0fa0eaf0 },
    result: { errno: 'EPERM' },
    file: null,
    tid: 117,
    pid: null,
    comm: null,
    at: 1795333481396833,
  });
});

test('a device that goes over a socket', () => {
  const { sightings } = read('strace-7.3');
  const fds = [{ fd: 5, path: '/dev/vfio/devices/vfio0' }];
  expect(sightings.filter(({ did }) => did === 'send' || did === 'receive')).toMatchObject([
    { did: 'send', tid: 119, fds, socket: 'socket:[564]', result: { rc: 1 } },
    { did: 'receive', tid: 120, fds, socket: 'socket:[565]', cloexec: false },
  ]);
});

test('numbers behind the names of a decoder', () => {
  const requests = read('strace-6.1-decoder').sightings.flatMap((one) =>
    one.did === 'ioctl' ? one.requests : [],
  );
  expect(requests.map((number) => number.toString(16))).toEqual(
    '64 66 67 68 69 6a 6b 70 71 72 73 75 76 77 78 80 81 85'.split(' ').map((low) => `3b${low}`),
  );
});
