/**
 * The rules of every operation: lists of checks, in the order in which the kernel makes them.
 *
 * A rule stands in one of these lists and nowhere else. Simulation, explanation, replay, the guards
 * of the machines, their pictures and the table of causes are read from them.
 *
 * @module
 */
import type { Attempt, Call, Operation } from '../events/vocabulary.ts';
import { rowOf } from '../operations/table.ts';
import type { Admission, MachineName } from './admission.ts';
import type { Cause } from './causes.ts';
import type {
  Check,
  FatalCheck,
  MachineCheck,
  OperationRules,
  OperationTable,
  Question,
} from './check.ts';
import { anyOperatedOn, type Directory, type Given } from './concerns.ts';
import type { OpenFile } from './instances.ts';
import { containerOperations } from './operations/container.ts';
import { descriptorOperations } from './operations/descriptor.ts';
import { deviceOperations } from './operations/device.ts';
import { groupOperations } from './operations/group.ts';
import { iommufdOperations } from './operations/iommufd.ts';
import { openOperations } from './operations/open.ts';
import { processOperations } from './operations/process.ts';
import { resetOperations } from './operations/reset.ts';
import {
  isBesideOwnership,
  isGivenBy,
  outsideCauses,
  outsideRefusals,
} from './outside-refusals.ts';
import { isSince, profiles, type Profile } from './profile.ts';
import { UNSHOWN } from './unshown.ts';

const operations: OperationTable<Operation> = {
  ...openOperations,
  ...deviceOperations,
  ...resetOperations,
  ...groupOperations,
  ...containerOperations,
  ...iommufdOperations,
  ...descriptorOperations,
  ...processOperations,
};

/** The rules of an operation, typed for a caller that does not know which operation it is. */
function rulesFor(operation: Operation): OperationRules {
  return operations[operation] as unknown as OperationRules;
}

/** Builds the question that a call puts. Results that are not given, such as ids, are derived. */
export function questionOf(host: Directory, call: Call, given: Given = {}): Question {
  const file = 'on' in given ? given.on : fileOf(host, call);
  return rulesFor(call.operation).concerns({ call, host, file, events: {} }, host, given);
}

function fileOf(host: Directory, call: Call): OpenFile | undefined {
  return 'fd' in call ? host.behind(call.pid, call.fd) : undefined;
}

/** The placeholder for an argument that the evidence does not show. */
export function unshownArgument(operation: Operation, name: string): unknown {
  return rulesFor(operation).unshown[name] ?? UNSHOWN;
}

/** The questions that an attempt may have put; `call` is the attempt with its placeholders. */
export function questionsOf(
  host: Directory,
  attempt: Attempt,
  call: Call,
  given: Given,
): Question[] {
  if (!('fd' in attempt) || attempt.fd !== null) return questionsOn(host, attempt, call, given);
  const files = anyOperatedOn(host, attempt.pid);
  return files.flatMap((on) => questionsOn(host, attempt, call, { on }));
}

function questionsOn(host: Directory, attempt: Attempt, call: Call, on: Given): Question[] {
  const own = questionOf(host, call, on);
  const { hypotheses } = rulesFor(call.operation);
  if (hypotheses === null) return [own];
  const ask = (other: Call, given?: Given) => questionOf(host, other, { ...given, ...on });
  return hypotheses({ attempt, call, own, host, ask });
}

/** Whether the evidence shows too little of an attempt to judge it. */
export function isBeyondJudging(question: Question, attempt: Attempt): boolean {
  return rulesFor(attempt.operation).isBeyondJudging?.({ attempt, question }) === true;
}

/** The checks of an operation in one profile; `isKnown`: whether its kernel has the operation. */
interface ProfileRules extends Pick<OperationRules, 'checks'> {
  readonly isKnown: boolean;
  readonly fatal: readonly FatalCheck[];
}

/** All operations as one profile checks them. */
export type Rules = Readonly<Record<Operation, ProfileRules>>;

/** Whether the kernel of a profile has an operation. */
function isKnownTo(profile: Profile, operation: Operation): boolean {
  const { since } = operations[operation];
  return since === undefined || isSince(profile, since);
}

/** The rules of a profile: every operation, with the checks that hold in the profile. */
export function rulesOf(profile: Profile): Rules {
  return Object.fromEntries(
    Object.entries(operations as unknown as Record<Operation, OperationRules>).map(
      ([operation, { checks, fatal = [] }]) => [
        operation,
        {
          isKnown: isKnownTo(profile, operation as Operation),
          checks: checks.filter((check) => applies(check, profile)),
          fatal: fatal.filter((check) => applies(check, profile)),
        },
      ],
    ),
  ) as unknown as Rules;
}

/** Whether a check with these limits holds in a profile. */
export function applies(
  { since, until }: Pick<Check, 'since' | 'until'>,
  profile: Profile,
): boolean {
  return (
    (since === undefined || isSince(profile, since)) &&
    (until === undefined || !isSince(profile, until))
  );
}

/**
 * The guards that the checks demand of a machine's events. An event is never admitted if the kernel
 * has none of the operations that record it.
 */
export function admissionOf(rules: Rules, machine: MachineName): Admission {
  const recordedBy = rulesByEvent(rules);
  return (state, event) => {
    const guards: string[] = [];
    const recording = recordedBy.get(event) ?? [];
    if (recording.length > 0 && recording.every(({ isKnown }) => !isKnown)) return 'never';
    for (const { checks, fatal } of recording) {
      for (const check of [...checks, ...fatal]) {
        if (!concerns(check, machine, state)) continue;
        if (check.guard === undefined) return 'never';
        guards.push(check.guard);
      }
    }
    return guards;
  };
}

/** By type of event: the rules of the operations that record it. */
function rulesByEvent(rules: Rules): ReadonlyMap<string, readonly ProfileRules[]> {
  const byEvent = new Map<string, ProfileRules[]>();
  for (const [operation, rule] of Object.entries(rules)) {
    const types = new Set(rowOf(operation as Operation).records.map(({ type }) => type));
    for (const type of types) {
      const before = byEvent.get(type);
      if (before === undefined) byEvent.set(type, [rule]);
      else before.push(rule);
    }
  }
  return byEvent;
}

function concerns(
  check: Check | FatalCheck,
  machine: MachineName,
  state: string,
): check is MachineCheck {
  return check.asks === machine && (!('in' in check) || check.in?.includes(state) !== false);
}

/** A check of an operation, with its place in the kernel's order. */
export interface RuleRow {
  readonly operation: Operation;
  /** 1 for the check that is made first. */
  readonly order: number;
  readonly check: string;
  readonly asks: Check['asks'];
  readonly errno: string;
  readonly cause: Cause;
  readonly profiles: readonly Profile[];
  readonly source: string;
}

/** Every check of every operation; with a profile, those that it makes. */
export function ruleTable(profile: Profile | null = null): RuleRow[] {
  return Object.entries(operationsOf(profile)).flatMap(([operation, { checks }]) =>
    checks.map((check, index) => ({
      operation: operation as Operation,
      order: index + 1,
      check: check.name,
      asks: check.asks,
      errno: check.errno,
      cause: check.cause,
      profiles: profiles.filter((known) => applies(check, known)),
      source: check.source,
    })),
  );
}

/** The operations as one profile checks them, or with the checks of all profiles. */
export function operationsOf(
  profile: Profile | null,
): Readonly<Record<Operation, Pick<OperationRules, 'checks'>>> {
  return profile === null ? operations : rulesOf(profile);
}

/** A row of the table of causes: one cause that an errno of an operation can have. */
export interface CauseRow {
  readonly cause: Cause;
  readonly operation: Operation;
  readonly errno: string;
  readonly profiles: readonly Profile[];
  readonly source: string;
}

/** A row for each cause, operation and errno that a check gives, sorted in that order. */
export function checkedCauses(): CauseRow[] {
  return sorted(
    Object.entries(operations).flatMap(([operation, { checks }]) =>
      checks.map((check) => ({
        cause: check.cause,
        operation: operation as Operation,
        errno: check.errno,
        profiles: profiles.filter((profile) => applies(check, profile)),
        source: check.source,
      })),
    ),
  );
}

/** As `checkedCauses`, and a row for each that something outside of the rules gives. */
export function causeTable(): CauseRow[] {
  const outside = outsideRefusals.map((refusal) => {
    const { operation, errno, cause, source } = refusal;
    const giving = profiles.filter(
      (profile) => isKnownTo(profile, operation) && isGivenBy(refusal, profile),
    );
    return { operation, errno, cause, source, profiles: giving };
  });
  return sorted([...checkedCauses(), ...outside]);
}

/** The rows, each once and with all profiles of its kind. */
function sorted(all: readonly CauseRow[]): CauseRow[] {
  const rows = new Map<string, CauseRow>();
  for (const row of all) {
    const key = `${row.cause} ${row.operation} ${row.errno}`;
    const seen = rows.get(key);
    const within = profiles.filter((p) => row.profiles.includes(p) || seen?.profiles.includes(p));
    rows.set(key, { ...row, profiles: within, source: seen?.source ?? row.source });
  }
  return [...rows.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

/** Whether the kernel gives it: a rule of the scenario language has no source in any kernel. */
export function hasKernelSource({ source }: Pick<Check, 'source'>): boolean {
  return /\.c:\w+/.test(source);
}

/**
 * The causes that an errno of an operation can have in kernels of these profiles, each once: those
 * of checks in the kernel's order, then those from outside of the rules.
 */
export function causesOf(
  operation: Operation,
  errno: string,
  within: readonly Profile[],
): readonly Cause[] {
  const checks = operations[operation].checks.filter(
    (check) =>
      check.errno === errno &&
      hasKernelSource(check) &&
      within.some((profile) => applies(check, profile)),
  );
  const having = within.filter((profile) => isKnownTo(profile, operation));
  const outside = outsideCauses(operation, errno, having);
  return [...new Set([...checks.map(({ cause }) => cause), ...outside])];
}

/**
 * The cause of an errno if the operation can have only one for it, in any state of the host;
 * otherwise null. `not-ownership` for errnos that concern no ownership and that no check gives.
 */
export function onlyCause(
  operation: Operation,
  errno: string,
  within: readonly Profile[],
): Cause | null {
  const [only = null, ...others] = causesOf(operation, errno, within);
  if (only === null && isBesideOwnership(errno)) return 'not-ownership';
  return others.length === 0 ? only : null;
}
