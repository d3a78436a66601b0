/**
 * Takes all wrappers off a line, in whatever order they stand around its message.
 *
 * @module
 */
import { withoutColours } from './escapes.ts';
import { prefixed } from './prefixes.ts';
import { inJson, inLogfmt } from './records.ts';
import type { Stamp } from './times.ts';
import type { Peeled, Wrapper } from './wrapper.ts';

/** A message, and what its wrappers say of it. */
export interface Unwrapped {
  readonly message: string;
  /** The times, from the outermost wrapper to the innermost. */
  readonly stamps: readonly Stamp[];
  /** The process that wrote the message, by the innermost wrapper that names one. */
  readonly name: string | null;
  readonly pid: number | null;
  readonly host: string | null;
  /** Whether the message is in the kernel's log. */
  readonly kernel: boolean;
  /** The boot id of a journal. */
  readonly boot: string | null;
}

const wrappers: readonly Wrapper[] = [inJson, prefixed, inLogfmt];

/** The most wrappers that are taken off a line. */
const DEEPEST = 24;

const BARE: Omit<Unwrapped, 'message'> = {
  stamps: [],
  name: null,
  pid: null,
  host: null,
  kernel: false,
  boot: null,
};

/** Takes all wrappers off a line. Without any, the whole line is the message. */
export function unwrapped(line: string): Unwrapped {
  return unwrappedFrom({ inner: withoutColours(line) });
}

/** Takes the wrappers off a message of which one wrapper was taken off before. */
export function unwrappedFrom(outer: Peeled): Unwrapped {
  let found = within({ ...BARE, message: '' }, outer);
  for (let depth = 0; depth < DEEPEST; depth++) {
    const peeled = peel(found.message);
    if (peeled === null) break;
    found = within(found, peeled);
  }
  return found;
}

function peel(line: string): Peeled | null {
  for (const wrapper of wrappers) {
    const peeled = wrapper(line);
    if (peeled !== null && peeled.inner.length < line.length) return peeled;
  }
  return null;
}

function within(outer: Unwrapped, inner: Peeled): Unwrapped {
  const { pid, name, stamp } = inner;
  const names = pid != null || name != null;
  // Two wrappers of one process: the name may stand in the outer one.
  const isSame = names && name == null && pid === outer.pid;
  return {
    message: inner.inner,
    stamps: stamp == null ? outer.stamps : [...outer.stamps, stamp],
    name: names && !isSame ? (name ?? null) : outer.name,
    pid: names ? (pid ?? null) : outer.pid,
    host: inner.host ?? outer.host,
    kernel: inner.kernel ?? outer.kernel,
    boot: inner.boot ?? outer.boot,
  };
}
