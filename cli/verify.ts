/**
 * `verify`: checks whether the log is intact, and whether events, rules and machines agree.
 *
 * @module
 */
import {
  CorruptLogError,
  NotALogError,
  StreamDeletedError,
  type Fault,
  type HostInLog,
  type Ledger,
  type Verification,
} from '../ledger.ts';
import { columns, titled, type Cell, type Line } from '../words/columns.ts';
import { coverageValueWords, noWords, unreadable } from '../words/coverage.ts';
import { foreignWords, lostGuardWords } from '../words/faults.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog, type LogValues } from './log-file.ts';
import { show, verb, type Io } from './verb.ts';

/** Checks bytes, hash chain and positions, then the events against the rules. */
export const verify = verb({
  name: 'verify',
  usage: 'verify [--head [HOST=]POSITION:HASH]... [--exhaustive] [--until POSITION]',
  summary: 'Checks whether the log is intact, and whether events, rules and machines agree',
  details: [
    'Exit 0: the log is intact, and everything agrees. 1: the log is intact, but its head is not the',
    'one that was kept, a file holds what is not of a log (kind foreign), or the rules or machines',
    'disagree with what was recorded. 3: the log is damaged, or the events of a host were deleted on the',
    'server; the rest of the answer is about the events before the damage.',
    'It rebuilds the cache LOG.index from the events and compares: what differs is of kind projection and',
    'is replaced. Answers of why are compared for one refusal in 1,000, or for all with --exhaustive.',
    'Keep the head that it prints: a hash chain does not show that its end was cut off, but --head does.',
    'The files and chains of all hosts in the log are checked, and every host is listed with its head:',
    'keep all of them. The rules are checked for one host (--host). Nothing is written to a foreign file.',
    'If rules and evidence disagree (kinds rules and evidence), the trace has a gap, the profile is not',
    'that of the kernel, or the kernel broke the rule.',
  ],
  options: {
    head: {
      type: 'string',
      multiple: true,
      value: '[HOST=]POSITION:HASH',
      help: 'compare with this head, kept from earlier; may be given for several hosts',
    },
    exhaustive: {
      type: 'boolean',
      help: 'compare the answers of why about all refusals, not one in 1,000',
    },
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
    await show(io, values.json, found, () => verificationText(found));
    if (damage !== null) throw damage;
    return found.faults.length === 0 ? exit.done : exit.no;
  },
});

type VerifyValues = LogValues & {
  readonly head?: readonly string[];
  readonly exhaustive?: boolean;
};

/** The faults of the log and its first damage; of a damaged log, the faults before the damage. */
async function lookedOver(
  values: VerifyValues,
  io: Io,
): Promise<Verification & { readonly damage: Error | null }> {
  try {
    return await readLog(values, io, (ledger) => check(ledger, values, io));
  } catch (error) {
    const damage = damageOf(error);
    const { position } = damage;
    const kind = damage.foreign === null ? 'bytes' : 'foreign';
    const fault = { position, time: null, kind, detail: damage.message } as const;
    const head = `-1:${'0'.repeat(64)}`;
    const none = { events: 0, head, faults: [fault], hosts: [], coverage: unreadable, damage };
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
  io.progress.tell(`checking ${ledger.length} events`);
  const { head, until, exhaustive = false } = values;
  // With --until the files are not examined: they may be damaged after that position. Of a server's log
  // this brings all hosts to the replica, so it comes first.
  const examined = until === undefined ? await ledger.examine() : null;
  const found = ledger.verify({ exhaustive, ...(head !== undefined && { head }) });
  if (examined === null) return { ...found, damage: null };
  const { faults, foreign, lostGuards } = examined;
  const notes = [...(found.notes ?? []), ...lostGuards.map(lostGuardWords)];
  const bytes = faults.map(({ position, message }): Fault => {
    // A damaged event cannot be read, nor its time.
    return { position, time: null, kind: 'bytes', detail: message };
  });
  const strange = foreign.map((part): Fault => {
    return { position: null, time: null, kind: 'foreign', detail: foreignWords(part) };
  });
  const noted = notes.length > 0 ? { notes } : {};
  const all = [...found.faults, ...bytes, ...strange];
  return { ...found, faults: all, ...noted, damage: faults[0] ?? null };
}

/** The damage that an error reports. Throws any other error. */
function damageOf(error: unknown): CorruptLogError {
  if (error instanceof CorruptLogError) return error;
  // The header claims a newer release, but the tables are those of this release.
  if (error instanceof NotALogError && error.isSuspect) {
    return new CorruptLogError(null, error.message);
  }
  if (error instanceof StreamDeletedError) return new CorruptLogError(null, error.message);
  throw error;
}

function verificationText({
  events,
  head,
  faults,
  notes = [],
  hosts,
  coverage,
}: Verification): Line[] {
  const rows = faults.map(({ position, kind, detail }): Cell[] => [
    position === null ? 'file' : String(position),
    { text: kind, tone: 'refusal' },
    detail,
  ]);
  return [
    `events  ${events}`,
    `head    ${head}`,
    `faults  ${faults.length === 0 ? noWords(coverage) : faults.length}`,
    ...notes.map((note) => `note    ${note}`),
    `seen    ${coverageValueWords(coverage)}`,
    ...hostLines(hosts),
    ...(faults.length === 0 ? [] : ['', ...columns(rows, ['POSITION', 'KIND', 'DETAIL'])]),
  ];
}

/** The only host of a log, or all hosts with their heads. */
function hostLines(hosts: readonly HostInLog[]): Line[] {
  const [only, ...others] = hosts;
  if (only === undefined) return [];
  if (others.length === 0) return [`host    ${only.host}`];
  const rows = hosts.map(({ host, events, head }) => [host, String(events), head]);
  return ['', ...titled('The log has several hosts:', [['HOST', 'EVENTS', 'HEAD'], ...rows])];
}
