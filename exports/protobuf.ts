/**
 * Encodes protocol buffers: messages as lists of fields.
 *
 * @module
 */

/** A field: its number and its value with its tag. */
type Field = Uint8Array;

const utf8 = new TextEncoder();

/** The bytes of a message. */
export function message(fields: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const field of fields) {
    bytes.set(field, at);
    at += field.length;
  }
  return bytes;
}

/** A field of type `uint64`, `uint32` or an enum; not negative. */
export function uint(number: number, value: number | bigint): Field {
  return message([tag(number, 0), varint(BigInt(value))]);
}

/** A field of type `fixed64`. */
export function fixed64(number: number, value: number | bigint): Field {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return message([tag(number, 1), bytes]);
}

/** A field of type `string`; half of a surrogate pair becomes U+FFFD. */
export function string(number: number, value: string): Field {
  return nested(number, utf8.encode(value));
}

/** A field that is a message. */
export function nested(number: number, value: Uint8Array): Field {
  return message([tag(number, 2), varint(BigInt(value.length)), value]);
}

function tag(number: number, wireType: 0 | 1 | 2): Uint8Array {
  return varint(BigInt((number << 3) | wireType));
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  bytes.push(Number(left));
  return Uint8Array.from(bytes);
}
