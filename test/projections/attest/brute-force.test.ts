import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LedgerError } from '../../../events/ledger-error.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { KERNEL_PID } from '../../../processes/process-table.ts';
import { attested, type Attested } from '../../../projections/attest/attest.ts';
import { attestQuestions, type AttestQuestion } from '../../../projections/attest/attestation.ts';
import { coverageOf } from '../../../projections/coverage.ts';
import { Timeline } from '../../../projections/timeline.ts';
import {
  Begun,
  handsAtEach,
  isInstance,
  isOpen,
  isOwner,
  labelled,
  type GroupHands,
  type Judge,
  type Label,
} from '../../support/brute-force-attest.ts';
import { countOf } from '../../support/effort.ts';
import {
  judgeOf,
  machines,
  scopeOf,
  tenantedLog,
  tenantWords,
  type TenantedLog,
} from '../../support/tenanted-logs.ts';

interface Asked {
  readonly question: AttestQuestion;
  readonly operands: readonly [string, string];
  readonly from: number;
  readonly to: number;
}

/** A log that was read, and what the machines say of each of its positions. */
class Read {
  readonly timeline = new Timeline({ whole: 24 });
  readonly states: readonly GroupHands[];
  /** The processes after each event. */
  readonly processes: readonly (readonly Label[])[];

  readonly missed: readonly boolean[];

  constructor({ log, missed }: TenantedLog) {
    this.missed = missed;
    for (const event of log) this.timeline.take(event);
    const host = new LiveHost();
    const begun = new Begun();
    this.processes = log.map((event) => {
      host.take(event);
      begun.note(host, event);
      const labels = [...host.processes()].map((process) => labelled(process, begun));
      return labels.filter(({ pid }) => pid !== KERNEL_PID);
    });
    this.states = handsAtEach(log, (group, from, to) => {
      const subject = { kind: 'group', id: group } as const;
      return coverageOf(this.timeline, { subject, from, to }).unknown.length === 0;
    });
  }

  /** The virtual machines that control groups name. */
  get inScope(): ReadonlySet<string> {
    const groups = new Set(this.processes.flat().map(({ cgroup }) => cgroup));
    return new Set(machines.filter((name) => groups.has(scopeOf(name))));
  }

  /** A pid stands for the process that has it in the range, not for those before and after. */
  judgeOf(word: string, { from, to }: Asked): Judge {
    const judge = judgeOf(word, this.inScope);
    if (!word.startsWith('pid:')) return judge;
    const there = this.processes.slice(from, to + 1).flat();
    const began = new Set(there.filter((one) => judge(one) === true).map((one) => one.began));
    return (label) => {
      const isOther = judge(label) === true && began.size > 0 && !began.has(label.began);
      return isOther ? false : judge(label);
    };
  }

  ask({ question, operands, from, to }: Asked): Attested | LedgerError {
    try {
      return attested(this.timeline, question, operands, { from, to });
    } catch (error) {
      if (error instanceof LedgerError) return error;
      throw error;
    }
  }
}

const places = (of: Attested['instances'], last: number) =>
  of.flatMap(({ subject, from, to }) => {
    const end = to ?? last + 1;
    return Array.from({ length: end - from }, (_, index) => `${subject} ${from + index}`);
  });

const sorted = (some: readonly string[]) => [...new Set(some)].toSorted();

function check(read: Read, asked: Asked): 'answered' | 'refused' {
  const { question, operands, from, to } = asked;
  const found = read.ask(asked);
  const words = question === 'never-shared' ? operands : operands.slice(1);
  const judges = words.map((word) => read.judgeOf(word, asked));
  if (found instanceof LedgerError) {
    checkRefusal(read, asked, judges, found);
    return 'refused';
  }
  const inRange = read.states.filter(({ group, position }) => {
    const isAsked = question === 'never-shared' || group === operands[0];
    return isAsked && position >= from && position <= to;
  });
  const where = (states: readonly GroupHands[]) =>
    sorted(states.map(({ group, position }) => `${group} ${position}`));
  const instances = inRange.filter((state) => isInstance(question, state, judges));
  const open = inRange.filter((state) => isOpen(question, state, judges));
  const isSeen = found.coverage.unknown.length === 0;
  const [judge = () => null] = judges;
  const isNobodys =
    question === 'sole-owner' &&
    isSeen &&
    open.length === 0 &&
    instances.length === 0 &&
    !inRange.some((state) => isOwner(state, judge));
  if (!isNobodys) expect(sorted(places(found.instances, to))).toEqual(where(instances));
  expect(sorted(places(found.unknownHands, to))).toEqual(where(open));
  const isRefuted = instances.length > 0 || isNobodys;
  const isKnown = isSeen && open.length === 0;
  expect(found.verdict).toBe(isRefuted ? 'refuted' : isKnown ? 'proved' : 'not-known');
  // Nothing is proved of what was not seen.
  if (isRefuted || read.missed.slice(from, to + 1).includes(true)) {
    expect(found.verdict).not.toBe('proved');
  }
  // A run ends where the condition does.
  if (question !== 'sole-owner') {
    const ends = found.instances.map(({ subject, to: end }) => `${subject} ${end}`);
    expect(where(instances).filter((place) => ends.includes(place))).toEqual([]);
  }
  return 'answered';
}

function checkRefusal(
  { processes, timeline }: Read,
  { from, to }: Asked,
  judges: readonly Judge[],
  { code, message }: LedgerError,
): void {
  const isOf = (judge: Judge) => (label: Label) => judge(label) === true;
  if (code === 'unknown-subject') {
    const named = judges.map((judge) => processes.flat().some(isOf(judge)));
    expect(named).toContain(false);
    return;
  }
  expect(code).toBe('bad-request');
  const then = processes.slice(from, to + 1).flat();
  if (message.includes('in common')) {
    expect(then.some((label) => judges.every((judge) => judge(label) === true))).toBe(true);
    return;
  }
  const [, pid = ''] = /^pid:(\d+) was two processes/.exec(message) ?? [];
  const events = [...timeline.positionsOf(`process ${pid}`)].map((at) => timeline.typeAt(at));
  const boots = timeline.events.filter(({ type }) => type === 'host.booted').length;
  const starts = events.filter((type) => /^process\.(started|forked|exited)$/.test(type));
  // The process of a log that does not begin with a boot may be of the boot before it.
  const isCutOff = timeline.events[0]?.type !== 'host.booted';
  expect(starts.length + boots + Number(isCutOff)).toBeGreaterThan(1);
}

/** The words for tenants of a process. */
function wordsOf(label: Label | null): string[] {
  if (label === null) return [];
  const { pid, comm, cgroup, vm } = label;
  const machine = machines.find((name) => vm === name || cgroup === scopeOf(name));
  return [
    ...(pid < KERNEL_PID ? [`pid:${pid}`] : []),
    ...(machine === undefined ? [] : [`vm:${machine}`]),
    ...(machine === undefined && cgroup !== null ? [`cgroup:${cgroup}`] : []),
    `comm:${comm}`,
  ];
}

test('an attestation says what the machines say of every position', () => {
  const counts = { answered: 0, refused: 0 };
  const verdicts = new Map<string, number>();
  fc.assert(
    fc.property(tenantedLog, fc.infiniteStream(fc.nat(1_000_000)), (tenanted, draws) => {
      const { log } = tenanted;
      const next = (below: number) => draws.next().value % below;
      if (log.length === 0) return;
      const read = new Read(tenanted);
      const groups = [...new Set(read.states.map(({ group }) => group))];
      const pids = new Set(read.processes.flat().map(({ pid }) => pid));
      const words = tenantWords([...pids].filter((pid) => pid < KERNEL_PID).slice(0, 6));
      const held = read.states.filter(({ hands }) => hands.length > 0);
      for (let count = 0; count < 12; count++) {
        const question = attestQuestions[next(attestQuestions.length)]!;
        // Most processes have no hand, and most of the others one of their own group.
        const state = held[next(Math.max(held.length, 1))];
        const group = state?.group ?? groups[next(Math.max(groups.length, 1))];
        const own = state?.hands.flatMap(({ of }) => of) ?? [];
        const isOwn = () => own.length > 0 && next(2) === 0;
        const tenant = () => {
          if (isOwn()) return wordsOf(own[next(own.length)] ?? null)[next(3)] ?? 'comm:qemu';
          return words[next(words.length)]!;
        };
        const one = question === 'never-shared' ? tenant() : group;
        const other = tenant();
        if (one === undefined || one === other) continue;
        const last = log.length - 1;
        const from = next(log.length);
        const range = [
          { from: 0, to: last },
          { from, to: Math.min(from + next(log.length), last) },
          { from, to: Math.min(from + next(6), last) },
        ][next(3)]!;
        const asking = { question, operands: [one, other] as const, ...range };
        counts[check(read, asking)]++;
        const found = read.ask(asking);
        if (found instanceof LedgerError) continue;
        const key = `${question} ${found.verdict}`;
        verdicts.set(key, (verdicts.get(key) ?? 0) + 1);
      }
    }),
    { numRuns: countOf('attest', { test: 30, soak: 2500, full: 10_000 }) },
  );
  expect(counts.answered).toBeGreaterThan(counts.refused / 4);
  // Nearly every question has had every verdict.
  expect(verdicts.size).toBeGreaterThanOrEqual(8);
});
