import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tellApart } from '../../../evidence/reading/files.ts';
import type { SeenDescriptor } from '../../../evidence/reading/processes.ts';

const few = fc.constantFrom('1', '2');
const keys = ['group', 'device', 'inode', 'mount'] as const;

/** A file as its descriptors show it. */
const file = fc.record({
  kind: fc.constantFrom('group', 'device', 'iommufd'),
  cdev: fc.option(fc.constant('vfio0')),
  values: fc.tuple(few, few, few, few),
});

const descriptor = fc.record({
  of: fc.nat(4),
  shows: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
});

/** Whether two may share a file, in words of its own. */
function mayBeOne(one: SeenDescriptor, other: SeenDescriptor): boolean {
  const differ = keys.some((key) => one[key] && other[key] && one[key] !== other[key]);
  return one.kind === other.kind && one.cdev === other.cdev && !differ;
}

test('the pairs that may be one file are compared, and no others', () => {
  fc.assert(
    fc.property(
      fc.array(file, { minLength: 5, maxLength: 5 }),
      fc.array(descriptor, { minLength: 2, maxLength: 12 }),
      (files, seen) => {
        const descriptors = seen.map(({ of, shows }, fd) => {
          const { kind, cdev, values } = files[of]!;
          const known = keys.map((key, at) => [key, shows[at] ? values[at] : null]);
          return { pid: 1, fd, kind, cdev, path: 'p', ...Object.fromEntries(known) };
        }) as unknown as SeenDescriptor[];
        const asked = new Set<string>();
        const { files: found, isProven } = tellApart(descriptors, (pairs) =>
          pairs.map(([a, b]) => {
            if (a.fd !== b.fd) asked.add(`${a.fd} ${b.fd}`);
            return seen[a.fd]!.of === seen[b.fd]!.of ? 'same' : 'different';
          }),
        );
        const wanted = descriptors.flatMap((one, a) =>
          descriptors.flatMap((other, b) => (a < b && mayBeOne(one, other) ? [`${a} ${b}`] : [])),
        );
        expect([...asked]).toEqual(wanted);
        expect(found).toEqual(seen.map(({ of }) => seen.findIndex((first) => first.of === of)));
        expect(isProven).toEqual(seen.map(() => true));
      },
    ),
    { numRuns: 200, seed: 3 },
  );
});

test('descriptors of different devices are not looked at in pairs', () => {
  const COUNT = 2000;
  let reads = 0;
  const descriptors = Array.from({ length: COUNT }, (_, fd) => {
    const device = `device ${fd}`;
    const seen = {
      pid: 1,
      fd,
      kind: 'device',
      cdev: null,
      device,
      group: null,
      inode: null,
      mount: null,
    };
    return new Proxy(seen, {
      get(target, key) {
        reads++;
        return Reflect.get(target, key) as unknown;
      },
    }) as unknown as SeenDescriptor;
  });
  const { files } = tellApart(descriptors, (pairs) => {
    expect(pairs).toEqual([]);
    return [];
  });
  expect(files).toEqual([...descriptors.keys()]);
  expect(reads).toBeLessThan(50 * COUNT);
});
