/**
 * What `verify` finds, in words: where a log does not agree with the rules, the evidence or itself.
 *
 * @module
 */
import type { ContradictionReason } from '../machines/contradiction.ts';
import type { Finding } from '../projections/findings.ts';
import type { Fault, Verification } from '../projections/shapes.ts';
import type { Absence } from '../projections/audit/verification.ts';
import { violationWords } from './invariants.ts';

/** Findings as faults; and of events that are not here a fault, or a note where the log says why. */
export function verificationWords(
  findings: readonly Finding[],
  absence: Absence | null,
): Pick<Verification, 'faults' | 'notes'> {
  const faults = findings.map(faultOf);
  if (absence === null) return { faults };
  const { to, saidBy } = absence;
  const what = `positions 0 to ${to} are not here`;
  if (saidBy === null) {
    const detail = `${what}, and nothing says that they were archived or removed`;
    return { faults: [{ position: to, kind: 'absent', detail }, ...faults] };
  }
  const [, deed] = saidBy.type.split('.');
  return { faults, notes: [`${what}: they were ${deed}, says position ${saidBy.position}`] };
}

/** A note: a file of the log lacks the trigger by which SQLite refuses to change its rows. */
export function lostGuardWords(lost: { readonly path: string; readonly guard: string }): string {
  return `${lost.path} has lost its guard '${lost.guard}'`;
}

function faultOf(finding: Finding): Fault {
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
      const verdict = expected === null ? 'it would pass' : `${expected.errno}, ${expected.cause}`;
      return `${operation} got ${errno}; by ${profile} ${verdict}`;
    }
    case 'passed': {
      const { operation, profile, errno, cause } = finding;
      return `${operation} passed; by ${profile} ${errno}, ${cause}`;
    }
    case 'contradiction':
      return contradictionWords(finding.reason);
    case 'cause': {
      const { operation, named, profile, cause } = finding;
      return `${operation}: the evidence names ${named}, by ${profile} it is ${cause}`;
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
    case 'head':
      return `not the head that was kept: ${heads[finding.found]}`;
  }
}

const heads = {
  'not-here': 'that part of the log is not here',
  'ends-before': 'the log ends before it',
  'other-hash': 'another hash',
} as const;

/** Why the rules say that an event could not have happened. */
export function contradictionWords(reason: ContradictionReason): string {
  switch (reason.kind) {
    case 'not-admitted':
      return `${reason.machine} in state '${reason.state}' does not admit '${reason.event}'`;
    case 'no-context':
      return `'${reason.event}' names a descriptor behind which there is no context`;
    case 'no-node':
      return `${reason.event}: nothing of that name is there`;
    case 'no-device':
      return `${reason.event}: there is no device ${reason.device}`;
    case 'other-driver': {
      const { device, seen, expected } = reason;
      return `${device} was seen with driver ${seen ?? 'none'}, and should have ${expected ?? 'none'}`;
    }
    case 'file-gone':
      return `${reason.file} had gone before, or ${reason.errno} would have been the answer`;
    case 'driver-gone': {
      const { driver, device, errno } = reason;
      return `${driver} had been unbound before from ${device}, or ${errno} would have been the answer`;
    }
  }
}
