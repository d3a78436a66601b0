/**
 * The provenance of an event: the source and line it was read from, and how certain it is.
 *
 * @module
 */
import * as v from 'valibot';
import { text } from './operations.ts';
import type { Fact } from './vocabulary.ts';

/** `observed`: a line shows it. `inferred`: a rule concludes it. `assumed`: nothing shows it. */
export const certainties = ['observed', 'inferred', 'assumed'] as const;
export type Certainty = (typeof certainties)[number];

/** The shape of `data.evidence`. */
export const evidence = v.strictObject({
  /** The name of a file or of a recorder. */
  source: text,
  /** The line number in the source, from 1; null if the event comes from no single line. */
  line: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1))),
  certainty: v.picklist(certainties),
  /** The rule that inferred it, or the reason why it was assumed. */
  rule: v.optional(text),
});

/** The provenance of an event. */
export type Evidence = Readonly<v.InferOutput<typeof evidence>>;

/** How certain an event is. One without evidence was played by the machines, or appended as it is. */
export function certaintyOf({
  data,
}: {
  readonly data: { readonly evidence?: Evidence | undefined };
}): Certainty {
  return data.evidence?.certainty ?? 'observed';
}

/** Whether an event is a boot that was seen, and not one that a log assumes to have been before it. */
export function isSeenBoot(event: Fact): boolean {
  return event.type === 'host.booted' && certaintyOf(event) === 'observed';
}

/**
 * The zero of a trace's times: 1970 (`wall`), the boot of the host (`uptime`), midnight (`day`), the
 * first line of the trace (`start`). `local` is `wall` in a time zone that the trace does not name.
 * `none`: the trace has no times.
 */
export const clocks = ['wall', 'local', 'uptime', 'day', 'start', 'none'] as const;
export type Clock = (typeof clocks)[number];

export const releaseShown = v.optional(v.literal(true));

/** Of a file that was opened: what the evidence shows of its `struct file`. */
export const structFile = {
  /** Its kernel address. */
  pointer: v.optional(text),
  /** The source of the event shows when the kernel releases this file: `file.released`. */
  releaseShown,
};
