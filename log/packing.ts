/**
 * Compression and checksums of index segments, with Node's zlib. A browser would bring its own.
 *
 * @module
 */
/** Loaded when it is first used: many logs are shorter than a segment. */
const zlib = () => process.getBuiltinModule('node:zlib');

/** Text that is longer than this in bytes, and than `RATIO_MAX` times its packed bytes, is not ours. */
const TEXT_MAX = 2 ** 24;
/** DEFLATE reaches 1032. */
const RATIO_MAX = 100;

/** Raw DEFLATE of UTF-8 text, and CRC-32. `inflate` throws for text beyond both limits. */
export const packing = {
  deflate: (text: string): Uint8Array => {
    const { constants, deflateRawSync } = zlib();
    return deflateRawSync(text, { level: constants.Z_BEST_SPEED });
  },
  inflate(bytes: Uint8Array): string {
    const maxOutputLength = Math.max(TEXT_MAX, bytes.length * RATIO_MAX);
    return zlib().inflateRawSync(bytes, { maxOutputLength }).toString();
  },
  crc32: (bytes: Uint8Array, before: number): number => zlib().crc32(bytes, before),
};
