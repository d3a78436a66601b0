/**
 * How this platform packs what is derived of a log.
 *
 * @module
 */
import { constants, crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

/** Raw DEFLATE of text in UTF-8, and CRC-32. */
export const packing = {
  deflate: (text: string): Uint8Array => deflateRawSync(text, { level: constants.Z_BEST_SPEED }),
  inflate: (bytes: Uint8Array): string => inflateRawSync(bytes).toString(),
  crc32: (bytes: Uint8Array, before: number): number => crc32(bytes, before),
};
