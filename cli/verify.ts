/**
 * `verify`: whether the log is what was written, and holds together.
 *
 * @module
 */
import {
  CorruptLogError,
  NotALogError,
  type Fault,
  type Ledger,
  type Verification,
} from '../ledger.ts';
import { columns, type Cell } from '../words/columns.ts';
import { lostGuardWords } from '../words/faults.ts';
import { printable } from '../words/printable.ts';
import type { Paint } from '../words/tone.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog, type LogValues } from './log-file.ts';
import { show, verb, type Io } from './verb.ts';

/** Checks bytes, chain and positions by reading, and then what happened against the rules. */
export const verify = verb({
  name: 'verify',
  usage: 'verify [--head POSITION:HASH] [--until POSITION]',
  summary: 'Whether the log is intact, and what happened agrees with the rules',
  details: [
    'Exit 0: intact, and all agrees. 1: intact, but the head is not the one that was kept, or the',
    'rules or machines disagree with what was recorded. 3: damaged; the rest of the answer is about',
    'the events before the damage. Keep the head that it prints: a chain of hashes cannot show that',
    'its end was cut off, and --head can.',
    'Where the evidence and the rules disagree (rules, evidence), one of three is so: the trace has a',
    'gap, the profile is not that of the kernel, or the kernel broke the rule.',
  ],
  options: {
    head: { type: 'string', value: 'POSITION:HASH', help: 'a head that was kept from earlier' },
    ...readingOptions,
  },
  operands: [0, 0],
  examples: [
    'vfio-ledger verify --log demo.ledger',
    'vfio-ledger verify --log demo.ledger ' +
      `--head "$(vfio-ledger verify --log demo.ledger | sed -n 's/^head *//p')"`,
  ],
  async answer({ values }, io) {
    const { damage, ...found } = await lookedOver(values, io);
    await show(io, values.json, found, () => verificationText(found, io.paint));
    if (damage !== null) throw damage;
    return found.faults.length === 0 ? exit.done : exit.no;
  },
});

type VerifyValues = LogValues & { readonly head?: string };

/** What can be said of the log, and the first damage; of a damaged one up to where that is. */
async function lookedOver(
  values: VerifyValues,
  io: Io,
): Promise<Verification & { readonly damage: Error | null }> {
  try {
    return await readLog(values, io, (ledger) => check(ledger, values, io));
  } catch (error) {
    const damage = damageOf(error);
    const { position } = damage;
    const fault = { position, kind: 'bytes', detail: damage.message } as const;
    const none = { events: 0, head: `-1:${'0'.repeat(64)}`, faults: [fault], damage };
    if (position === null) return none;
    try {
      const until = position - 1;
      const found = await readLog(values, io, (ledger) => check(ledger, values, io), { until });
      return {
        ...found,
        faults: found.damage === null ? [...found.faults, fault] : found.faults,
        damage,
      };
    } catch (again) {
      damageOf(again);
      return none;
    }
  }
}

async function check(ledger: Ledger, values: VerifyValues, io: Io) {
  io.progress.tell(`${ledger.length} events to check`);
  const { head, until } = values;
  const found = ledger.verify(head === undefined ? {} : { head });
  // What lies behind the end that was asked for may be damaged, and is none of our business.
  if (until !== undefined) return { ...found, damage: null };
  const { faults, lostGuards } = await ledger.examine();
  const notes = [...(found.notes ?? []), ...lostGuards.map(lostGuardWords)];
  const bytes = faults.map(({ position, message }): Fault => {
    return { position, kind: 'bytes', detail: message };
  });
  const noted = notes.length > 0 ? { notes } : {};
  return { ...found, faults: [...found.faults, ...bytes], ...noted, damage: faults[0] ?? null };
}

/** The error, where it says that the log is damaged. */
function damageOf(error: unknown): CorruptLogError {
  if (error instanceof CorruptLogError) return error;
  // A header that says that it is of a newer release, before tables that are just as ours.
  if (error instanceof NotALogError && error.isSuspect) {
    return new CorruptLogError(null, error.message);
  }
  throw error;
}

function verificationText(
  { events, head, faults, notes = [] }: Verification,
  paint: Paint,
): string[] {
  const rows = faults.map(({ position, kind, detail }): Cell[] => [
    position === null ? 'file' : String(position),
    { text: kind, tone: 'refusal' },
    printable(detail),
  ]);
  return [
    `events  ${events}`,
    `head    ${head}`,
    `faults  ${faults.length === 0 ? 'none' : faults.length}`,
    ...notes.map((note) => `note    ${printable(note)}`),
    ...(faults.length === 0 ? [] : ['', ...columns(rows, paint, ['POSITION', 'KIND', 'DETAIL'])]),
  ];
}
