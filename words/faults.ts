/**
 * A sentence for each finding of `verify`: a log disagrees with the rules, the evidence or itself.
 *
 * @module
 */
import type { ContradictionReason } from '../machines/contradiction.ts';
import type { Finding } from '../projections/findings.ts';
import type { Fault, Verification } from '../projections/audit/faults.ts';
import type { Untimed } from '../projections/timed.ts';
import type { Absence } from '../projections/audit/verification.ts';
import type { CutEnd } from '../projections/shapes.ts';
import { violationWords } from './invariants.ts';
import { cutWords } from './moments.ts';

/**
 * Findings as faults. Missing events at the beginning are a note if an event of the log says why they
 * are missing, else a fault; at the end, `cut`, they are always a fault.
 */
export function verificationWords(
  findings: readonly Finding[],
  absence: Absence | null,
  cut: CutEnd | null,
): { readonly faults: readonly UntimedFault[] } & Pick<Verification, 'notes'> {
  const faults = findings.map(faultOf);
  if (cut !== null) {
    const position = cut.after < 0 ? null : cut.after;
    faults.push({ position, kind: 'absent', detail: cutWords(cut) });
  }
  if (absence === null) return { faults };
  const { to, saidBy } = absence;
  const what = `positions 0 to ${to} are missing`;
  if (saidBy === null) {
    const detail = `${what}, and no event says that they were archived or removed`;
    return { faults: [{ position: to, kind: 'absent', detail }, ...faults] };
  }
  const [, deed] = saidBy.type.split('.');
  return { faults, notes: [`${what}: position ${saidBy.position} records that they were ${deed}`] };
}

/** A note: a file of the log lacks the trigger by which SQLite refuses to change its rows. */
export function lostGuardWords(lost: { readonly path: string; readonly guard: string }): string {
  return `${lost.path} lacks the trigger '${lost.guard}', which protects its rows`;
}

/** A fault: something in a file of the log that vfio-ledger has not put there. */
export function foreignWords(part: {
  readonly path: string;
  readonly kind: string;
  readonly name: string;
  readonly table: string | null;
}): string {
  const { path, kind, name, table } = part;
  const what =
    kind === 'rows' ? `rows of a stream '${name}', which is no name` : `${kind} '${name}'`;
  const where = table === null ? '' : ` (table '${table}')`;
  return `${path} holds ${what}${where}, as no log does: nothing is written to this file`;
}

type UntimedFault = Untimed<Fault>;
type FindingOf<K extends Finding['kind']> = Extract<Finding, { readonly kind: K }>;

function faultOf(finding: Finding): UntimedFault {
  return { position: finding.position, kind: kinds[finding.kind], detail: detailOf(finding) };
}

const kinds: { readonly [K in Finding['kind']]: Fault['kind'] } = {
  table: 'table',
  unexplained: 'rules',
  passed: 'rules',
  contradiction: 'rules',
  cause: 'evidence',
  release: 'evidence',
  invariant: 'invariant',
  projection: 'projection',
  segment: 'projection',
  why: 'projection',
  head: 'head',
};

function detailOf(finding: Finding): string {
  switch (finding.kind) {
    case 'table': {
      const { machine, xstate, table } = finding;
      const goes = xstate === null ? 'does not admit it' : `goes to '${xstate}'`;
      return `${machine}: XState ${goes}, the table to '${table}'`;
    }
    case 'unexplained': {
      const { operation, errno, profile, expected } = finding;
      const verdict =
        expected === null ? 'it would pass' : `it would get ${expected.errno}, ${expected.cause}`;
      return `${operation} got ${errno}; by ${profile} ${verdict}`;
    }
    case 'passed': {
      const { operation, profile, errno, cause } = finding;
      return `${operation} passed; by ${profile} it would get ${errno}, ${cause}`;
    }
    case 'contradiction':
      return contradictionWords(finding.reason);
    case 'cause': {
      const { operation, named, profile, cause } = finding;
      return `${operation}: the cause is ${named} by the evidence, ${cause} by ${profile}`;
    }
    case 'release': {
      const holders = finding.holders.map(({ pid, fd }) => `pid ${pid} fd ${fd}`);
      const by = holders.length === 0 ? 'the kernel' : holders.join(', ');
      return `the kernel released ${finding.file}, which ${by} should still hold`;
    }
    case 'invariant':
      return `${finding.invariant}: ${violationWords(finding)}`;
    case 'projection':
      return `the table and the machines differ on who owns group ${finding.group}`;
    case 'segment':
      return segmentWords(finding);
    case 'why':
      return answerWords(finding);
    case 'head':
      return headWords(finding);
  }
}

function segmentWords({ segment, differing, isReplaced }: FindingOf<'segment'>): string {
  const { first, count } = segment;
  const where = `the index of positions ${first} to ${first + count - 1}`;
  const since = isReplaced
    ? 'it was rebuilt'
    : 'it cannot be replaced: answer with --no-index until it is removed';
  return `${where} differs from the events in ${indexed[differing]}; ${since}`;
}

/** What a segment of the index carries. */
const indexed: Readonly<Record<FindingOf<'segment'>['differing'], string>> = {
  booted: 'a boot',
  deviceSet: 'a device',
  deviceMoved: 'the state of a device',
  groupSet: 'the owner, opener or claims of a group',
  fileOpened: 'an open file',
  fileSet: 'what an open file keeps alive or belongs to',
  fileClosed: 'the release of a file',
  processStarted: 'a process',
  processEnded: 'the end of a process',
  held: 'a holder',
  dropped: 'a holder that let go',
  waiting: 'a waiter',
  refused: 'the cause or blocker of a refusal',
  refusalSettled: 'when a refused call would pass',
  type: 'the type of the event',
  time: 'the time of the event',
  subject: 'which events concern a subject',
  codes: 'a name or number (group, device, process, driver, cause, descriptor)',
  start: 'the host before one of its events',
  end: 'the host after its last event',
  list: 'what it says of the index before it',
  sources: 'which sources the events before it have',
  other: 'its content',
};

function answerWords(finding: FindingOf<'why'>): string {
  switch (finding.differing) {
    case 'cause':
      return `why answers ${finding.answered}; the machines say ${finding.exact}`;
    case 'blocker':
      return 'why answers another blocker than the machines do';
    case 'wouldPassAfter': {
      const [answered, exact] = [finding.answered, finding.exact].map((at) => at ?? 'none');
      return `why answers that it would pass after ${answered}; playing the events gives ${exact}`;
    }
  }
}

function headWords(finding: FindingOf<'head'>): string {
  const what = `not the head that was kept: ${heads[finding.found]}`;
  return finding.host === null ? what : `host '${finding.host}', position ${finding.kept}: ${what}`;
}

const heads = {
  'no-host': 'the log has no events of this host',
  'not-here': 'its part of the log is missing',
  'ends-before': 'the log ends before its position',
  'other-hash': 'the hash differs',
} as const;

/** Why an event could not have happened by the rules. */
export function contradictionWords(reason: ContradictionReason): string {
  switch (reason.kind) {
    case 'not-admitted':
      return `${reason.machine} in state '${reason.state}' does not admit '${reason.event}'`;
    case 'no-context':
      return `'${reason.event}' names a descriptor that is neither a container nor an iommufd`;
    case 'no-node':
      return `${reason.event}: the node does not exist`;
    case 'no-device':
      return `${reason.event}: there is no device ${reason.device}`;
    case 'other-group': {
      const { device, seen, expected } = reason;
      return `${device} was got from group ${seen}, but is in group ${expected}`;
    }
    case 'other-driver': {
      const { device, seen, expected } = reason;
      return `${device} was seen with driver ${seen ?? 'none'}, but should have ${expected ?? 'none'}`;
    }
    case 'file-gone':
      return `${reason.file} must have been closed earlier: otherwise this call would have failed with ${reason.errno}`;
    case 'driver-gone': {
      const { driver, device, errno } = reason;
      return `${driver} must have been unbound from ${device} earlier: otherwise this call would have failed with ${errno}`;
    }
  }
}
