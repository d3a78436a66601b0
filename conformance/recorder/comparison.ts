/**
 * What a recorder has seen of a host, beside what the kernel answered on it.
 *
 * Only processes of the scenario are compared. Whoever else there is in a recording is the agent,
 * through which descriptors go from one process to another, or has to do with the recorder.
 *
 * @module
 */
import { LedgerError, type Ledger } from '../../ledger.ts';
import type { Holder, Owner } from '../../projections/shapes.ts';

interface RecordingDifference {
  /** What it is about: `owners of g3`, `refusals`. */
  readonly about: string;
  readonly kernel: string;
  readonly recorded: string;
}

/** The processes of the scenario language, and who changes drivers. */
const actors = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8', 'bg'];
/** No calls on files of ours: no trace tells what is refused of them. */
const untraced = new Set(['close', 'dup', 'dup2', 'munmap', 'send', 'spawn', 'fork', 'bg_wait']);

/** How many statements were compared, those about refusals among them, and which differ. */
export interface RecordingComparison {
  readonly differences: readonly RecordingDifference[];
  readonly statements: number;
  /** How many events the recording has. */
  readonly events: number;
}

/** What the kernel's answers tell beside what a recording does. */
export function compared(kernel: Ledger, recorded: Ledger): RecordingComparison {
  const subjects = subjectsOf(kernel);
  const wanted = statements(kernel, subjects);
  const seen = statements(recorded, subjects);
  const refusals = refusalsOf(kernel);
  const refused = firstDifference(refusals, refusalsOf(recorded));
  const others = [...wanted].flatMap(([about, text]): RecordingDifference[] => {
    const told = seen.get(about) ?? 'nothing';
    return told === text ? [] : [{ about, kernel: text, recorded: told }];
  });
  return {
    differences: refused === null ? others : [refused, ...others],
    statements: refusals.length + wanted.size,
    events: recorded.length,
  };
}

/** What a comparison is about. */
interface Subjects {
  readonly groups: ReadonlySet<string>;
  readonly devices: ReadonlySet<string>;
}

/** The devices of the scenario, and their groups: of others the topology does not name the driver. */
function subjectsOf(kernel: Ledger): Subjects {
  const named = kernel
    .at('end')
    .table()
    .devices.filter(({ name }) => name !== null);
  return {
    groups: new Set(named.flatMap(({ group }) => group ?? [])),
    devices: new Set(named.map(({ device }) => device)),
  };
}

/** Refusals follow each other in both: behind the first that differs all do. */
function firstDifference(
  wanted: readonly string[],
  seen: readonly string[],
): RecordingDifference | null {
  const index = wanted.findIndex((text, at) => text !== seen[at]);
  if (index < 0 && seen.length <= wanted.length) return null;
  const at = index < 0 ? wanted.length : index;
  const [kernel = 'no more', recorded = 'no more'] = [wanted[at], seen[at]];
  return { about: `refusal ${at + 1}`, kernel, recorded };
}

/** What was refused to whom, with which errno and why, in order. */
function refusalsOf(ledger: Ledger): string[] {
  return ledger.log({ refused: true }).flatMap((event) => {
    const { operation, errno, cause } = ledger.why(event.position);
    const pid = 'pid' in event.data ? event.data.pid : null;
    const by = pid === null ? 'bg' : (ledger.commOf(pid, event.position) ?? '?');
    // A node that is not there has no kind.
    const what = operation === 'open_cdev' && errno === 'ENOENT' ? 'open_path' : operation;
    if (!actors.includes(by) || untraced.has(operation)) return [];
    // What nobody has open is none of ours, whoever maps it or opens it anew.
    if (operation === 'mmap' && errno === 'EBADF') return [];
    const path = 'path' in event.data ? event.data.path : '';
    if (path.startsWith('/proc/self/fd/') && errno === 'ENOENT') return [];
    return [`${by} ${what}: ${errno}, ${cause}`];
  });
}

/** Everything else that a ledger tells, by what it is about. */
function statements(ledger: Ledger, only: Subjects): ReadonlyMap<string, string> {
  const table = ledger.at('end').table();
  const groups = table.groups.filter(({ group }) => only.groups.has(group));
  const devices = table.devices.filter(({ device }) => only.devices.has(device));
  const subjects = [...groups.map(({ group }) => `g${group}`), ...devices.map((one) => one.device)];
  return new Map([
    ...subjects.map((subject) => [`owners of ${subject}`, owners(ledger, subject)] as const),
    ...groups.map(({ group, owner, ownerCount, viable, opener }) => {
      const state = [
        ownerText(owner, namesOf(owner.holders)),
        `count ${ownerCount}`,
        viable ? 'viable' : 'not viable',
        opener === null ? 'closed' : `opened by ${namesOf(opener.holders).join(' ')}`,
      ];
      return [`g${group} at the end`, state.join(', ')] as const;
    }),
    ...devices.map(({ device, driver, state, files }) => {
      const text = `${state}, ${driver ?? 'no driver'}, ${files.length} files`;
      return [`${device} at the end`, text] as const;
    }),
    [
      'faults',
      ledger
        .verify()
        .faults.map(({ detail }) => detail)
        .join('; '),
    ] as const,
  ]);
}

/** The owners of a subject since a recording began, one after the other, each with all who ever kept it alive. */
function owners(ledger: Ledger, subject: string): string {
  const hands = handsIn(ledger, subject);
  const texts: string[] = [];
  let last = '';
  for (const { from, owner } of ledger.history(subject)) {
    // Before the recording began. The kernel was asked later.
    if (from === null && owner.kind === 'unknown') continue;
    const key = `${owner.kind} ${owner.file}`;
    const text = ownerText(owner, hands.get(from) ?? []);
    if (key === last) texts.pop();
    texts.push(text);
    last = key;
  }
  return texts.join(' > ');
}

/** Who had a hand in a subject's ownership, by where that begins. */
function handsIn(ledger: Ledger, subject: string): ReadonlyMap<number | null, string[]> {
  const hands = new Map<number | null, string[]>();
  for (const actor of actors) {
    for (const { from, by } of tenuresOf(ledger, actor, subject)) {
      if (by.length > 0) hands.set(from, [...(hands.get(from) ?? []), actor]);
    }
  }
  return hands;
}

function tenuresOf(ledger: Ledger, actor: string, subject: string) {
  try {
    return ledger.everOwned(actor, { subject });
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'unknown-subject') return [];
    throw error;
  }
}

function ownerText({ kind, certainty }: Owner, names: readonly string[]): string {
  const by = names.length === 0 ? '' : `[${names.join(' ')}]`;
  // How a host stood before the first line nobody has seen.
  const isSure = certainty === undefined || certainty === 'assumed';
  return `${kind}${by}${isSure ? '' : ` (${certainty})`}`;
}

function namesOf(holders: readonly Holder[]): string[] {
  return actors.filter((actor) => holders.some(({ comm }) => comm === actor));
}
