/**
 * What may happen to a file: bits that change, an end that is missing, the whole of it gone.
 *
 * @module
 */
import fc from 'fast-check';

/** What a file is after its damage; null where it is gone. `other` is a file that it may become. */
export type Damage = (bytes: Uint8Array, other: Uint8Array) => Uint8Array | null;

const share = fc.double({ min: 0, max: 1, noNaN: true });

function flip(bytes: Uint8Array, index: number, bit: number): Uint8Array {
  const changed = new Uint8Array(bytes);
  if (index < changed.length) changed[index]! ^= 1 << bit;
  return changed;
}

const bit = fc.integer({ min: 0, max: 7 });

/** Bits anywhere; among the first 16 bytes are the magic, the length and the checksum. */
const flipped = fc
  .tuple(fc.boolean(), fc.nat(15), share, bit)
  .map(([isAtStart, start, part, which]): Damage => {
    return (bytes) => flip(bytes, isAtStart ? start : Math.floor(part * bytes.length), which);
  });

const cut = share.map((part): Damage => {
  return (bytes) => bytes.slice(0, Math.floor(part * bytes.length));
});

const longer = fc.uint8Array({ minLength: 1, maxLength: 9 }).map(
  (more): Damage =>
    (bytes) =>
      Buffer.concat([bytes, more]),
);

const replaced = fc.constantFrom<Damage>(
  () => null,
  () => new Uint8Array(0),
  (_, other) => other,
);

export const damage: fc.Arbitrary<Damage> = fc.oneof(flipped, cut, longer, replaced);
