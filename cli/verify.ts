/**
 * `verify`: whether the log is what was written, and holds together.
 *
 * @module
 */
import type { Verification } from '../ledger.ts';
import { columns, type Cell } from './columns.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog, type LogValues } from './log-file.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';
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
    try {
      const found = await readLog(values, io, async (ledger) => {
        io.progress.tell(`${ledger.events.length} events to check`);
        return ledger.verify(headOf(values));
      });
      await show(io, values.json, found, () => verificationText(found, io.paint));
      return found.faults.length === 0 ? exit.done : exit.no;
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'CorruptLogError') throw error;
      const found = await upTo(error, values, io);
      await show(io, values.json, found, () => verificationText(found, io.paint));
      throw error;
    }
  },
});

function headOf({ head }: { readonly head?: string }) {
  return head === undefined ? {} : { head };
}

/** What can be said of a damaged log: what the events before the damage say. */
async function upTo(
  damage: Error,
  values: LogValues & { readonly head?: string },
  io: Io,
): Promise<Verification> {
  const position = 'position' in damage ? (damage.position as number | null) : null;
  const fault = { position, kind: 'bytes', detail: damage.message } as const;
  const nothing = { events: 0, head: `-1:${'0'.repeat(64)}`, faults: [fault] };
  if (position === null) return nothing;
  try {
    const verify = async (ledger: { verify: (o: object) => Verification }) =>
      ledger.verify(headOf(values));
    const { faults, ...rest } = await readLog(values, io, verify, { until: position - 1 });
    return { ...rest, faults: [...faults, fault] };
  } catch (error) {
    if (error instanceof Error && error.name === 'CorruptLogError') return nothing;
    throw error;
  }
}

function verificationText({ events, head, faults }: Verification, paint: Paint): string[] {
  const rows = faults.map(({ position, kind, detail }): Cell[] => [
    position === null ? 'file' : String(position),
    { text: kind, tone: 'refusal' },
    printable(detail),
  ]);
  return [
    `events  ${events}`,
    `head    ${head}`,
    `faults  ${faults.length === 0 ? 'none' : faults.length}`,
    ...(faults.length === 0 ? [] : ['', ...columns(rows, paint, ['POSITION', 'KIND', 'DETAIL'])]),
  ];
}
