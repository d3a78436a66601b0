import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentlyUsed } from '../../../projections/index/recently-used.ts';

const MOST = 100;

/** A value that grows each time it is used. */
class Growing {
  bytes: number;
  readonly #by: number;

  constructor(bytes: number, by: number) {
    this.bytes = bytes;
    this.#by = by;
  }

  use(): void {
    this.bytes += this.#by;
  }
}

const uses = fc.array(fc.record({ key: fc.nat(9), bytes: fc.nat(60), by: fc.nat(20) }), {
  maxLength: 60,
});

test('values that grow are dropped, the least recently used first, above the bytes', () => {
  fc.assert(
    fc.property(uses, (all) => {
      const kept = new RecentlyUsed<number, Growing>(MOST);
      /** The slow way: a list, the least recently used first. */
      let slow: { readonly key: number; readonly value: Growing }[] = [];
      for (const { key, bytes, by } of all) {
        const there = slow.find((entry) => entry.key === key);
        const found = kept.get(key);
        expect(found).toBe(there?.value);
        const value = there?.value ?? new Growing(bytes, by);
        if (found === undefined) kept.set(key, value);
        slow = [...slow.filter((entry) => entry.key !== key), { key, value }];
        const total = () => slow.reduce((sum, entry) => sum + entry.value.bytes, 0);
        while (slow.length > 1 && total() > MOST) slow = slow.slice(1);
        expect(kept.bytes).toBe(total());
        value.use();
      }
    }),
  );
});
