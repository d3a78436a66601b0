/**
 * Where an event was seen, and how surely.
 *
 * @module
 */
import * as v from 'valibot';
import { text } from './operations.ts';

/** How sure it is that something happened as an event says. */
export const certainties = ['observed', 'inferred', 'assumed'] as const;
export type Certainty = (typeof certainties)[number];

/** What an event says of where it was seen. */
export const evidence = v.strictObject({
  /** What it was read from: the name of a file, or of a recorder. */
  source: text,
  /** The line there, counted from 1; null where it is none. */
  line: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1))),
  certainty: v.picklist(certainties),
  /** What inferred it, or why it was assumed. */
  rule: v.optional(text),
});

/** Where an event was seen, and how surely. */
export type Evidence = Readonly<v.InferOutput<typeof evidence>>;

/**
 * What the times of a trace count from: 1970 (`wall`), the boot of the host (`uptime`), midnight
 * (`day`), its own first line (`start`); `none` where it has no times. `local`: as `wall`, in a time
 * zone that the trace does not name.
 */
export const clocks = ['wall', 'local', 'uptime', 'day', 'start', 'none'] as const;
export type Clock = (typeof clocks)[number];

/** The evidence's own name for the `struct file`: its address in the kernel. */
export const pointer = v.optional(text);
