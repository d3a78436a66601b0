/**
 * Compression and checksums of index segments, with Node's zlib. A browser would bring its own.
 *
 * @module
 */
import { constants, crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

/** Raw DEFLATE of UTF-8 text, and CRC-32. */
export const packing = {
  deflate: (text: string): Uint8Array => deflateRawSync(text, { level: constants.Z_BEST_SPEED }),
  inflate: (bytes: Uint8Array): string => inflateRawSync(bytes).toString(),
  crc32: (bytes: Uint8Array, before: number): number => crc32(bytes, before),
};
