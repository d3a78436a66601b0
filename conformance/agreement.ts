/**
 * Whether two answers to an operation agree: a kernel's and ours.
 *
 * @module
 */

/** An answer as the contract of recorded truth has it; `null` where the operation did not return. */
export interface GivenAnswer {
  readonly op: string;
  /** Null, or left out by us, where the kernel gave no answer. */
  readonly rc?: number | null;
  readonly errno?: string;
  readonly viable?: boolean;
  readonly container_set?: boolean;
  readonly driver?: string;
  readonly pending?: boolean;
}

const extras = ['viable', 'container_set', 'driver', 'pending'] as const;

/** Operations whose result is a descriptor; it has to be the kernel's. */
const opens = /^(open_|get_device|dup|send)/;

/** An answer in words: the errno or what came of it, with the extras that the kernel gave. */
export function wordsOf(answer: GivenAnswer, named: GivenAnswer = answer): string {
  const more = extras
    .filter((extra) => named[extra] !== undefined)
    .map((extra) => `${extra}=${String(answer[extra])}`);
  if (answer.rc == null) return 'no answer';
  const outcome =
    answer.rc === -1
      ? (answer.errno ?? 'no errno')
      : opens.test(named.op)
        ? `fd ${answer.rc}`
        : 'ok';
  return [outcome, ...more].join(' ');
}

/** Both in words where they differ, else null. */
export function differenceOf(
  kernel: GivenAnswer,
  ours: GivenAnswer,
): { kernel: string; ours: string } | null {
  const said = { kernel: wordsOf(kernel), ours: wordsOf(ours, kernel) };
  return said.kernel === said.ours ? null : said;
}
