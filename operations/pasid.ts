/**
 * The PASID in the arguments of attach and detach. It counts only with the flag for it, which every
 * kernel that knows it has at bit 0 (include/uapi/linux/vfio.h: VFIO_DEVICE_ATTACH_PASID).
 *
 * @module
 */
import type { Said } from './row.ts';
import type { TracedWords } from './traced-words.ts';

const FLAG = 1;

interface WithPasid {
  readonly argsz?: number | undefined;
  readonly flags?: number | undefined;
  readonly pasid?: number | null | undefined;
}

/** The PASID that a statement gives. */
export function saidPasid(said: Said): { readonly pasid?: number } {
  const pasid = said.option('pasid');
  return pasid === undefined ? {} : { pasid };
}

/** The PASID that a trace shows; null if it shows only the flag for one. */
export function tracedPasid({
  flags = 0,
  pasid = null,
}: Omit<TracedWords, 'pasid'> & { readonly pasid?: number | null }): {
  readonly pasid?: number | null;
} {
  return (flags & FLAG) === 0 ? {} : { pasid };
}

/** The PASID that a call asked for, for its event. What is not given is zero in the structure. */
export function recordedPasid({ flags = 0, pasid = 0 }: WithPasid) {
  return (flags & FLAG) === 0 ? {} : { pasid };
}

/** The arguments of a call with that PASID, whose structure has that many bytes. */
export function shapeWithPasid(bytes: number, pasid: number | null | undefined): WithPasid {
  return pasid === undefined ? {} : { argsz: bytes, flags: FLAG, pasid };
}
