import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Placed } from '../../../events/vocabulary.ts';
import { machineNames } from '../../../machines/admission.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { kernelRules } from '../../../machines/machines.ts';
import { invariantNames } from '../../../projections/audit/invariants.ts';
import { playerOf, Verifier } from '../../../projections/audit/verification.ts';
import { Watch } from '../../../projections/audit/violations.ts';
import { intervalsOf, intervalsOfGroups } from '../../../projections/history.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { brokenLog } from '../../support/broken-logs.ts';
import { countOf, isCampaign } from '../../support/effort.ts';
import { faultyTables, type Fault } from '../../support/faulty-tables.ts';
import { SlowVerifier, SlowWatch } from '../../support/slow-verifier.ts';

const LOGS = countOf('verified logs', { test: 40, soak: 3000, full: 10_000 });
const options = { numRuns: LOGS };

/** What is rare is there only in the many logs of a campaign. */
function expectMet<T>(met: ReadonlySet<T>, all: Iterable<T>): void {
  if (isCampaign) expect(met).toEqual(new Set(all));
  else expect([...met].filter((one) => new Set(all).has(one))).not.toEqual([]);
}

test('judging what an event touched finds what judging everything finds', () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(brokenLog, fc.boolean(), (events, isKnown) => {
      const timeline = new Timeline();
      const fast = new Verifier(playerOf(new LiveHost({ isKnown })));
      const slow = new SlowVerifier({ isKnown });
      for (const event of events) {
        timeline.take(event);
        fast.take(event);
        slow.take(event);
      }
      const intervals = intervalsOfGroups(timeline);
      // Without the last intervals, the projection is wrong where a group has changed hands.
      for (const end of [undefined, -1]) {
        fast.compare((group) => (intervals.get(group) ?? []).slice(0, end));
        slow.compare((group) => intervalsOf(timeline, group).slice(0, end));
      }
      expect(fast.findings).toEqual(slow.findings);
      for (const { kind } of fast.findings) met.add(kind);
    }),
    options,
  );
  const kinds = ['contradiction', 'invariant', 'passed', 'projection', 'release', 'unexplained'];
  // Evidence seldom names a cause that the rules do not give.
  met.delete('cause');
  expectMet(met, kinds);
});

/** What ends an owner: where the machines miss it, their owner is one that nobody claims. */
function isEnd({ type }: Placed): boolean {
  return type === 'descriptor.closed' || type === 'process.exited';
}

test('so it does where the machines have missed some of the events', () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(brokenLog, fc.infiniteStream(fc.nat(9)), (events, draws) => {
      const [fast, slow, host] = [new Watch(), new SlowWatch(), new LiveHost()];
      for (const event of events) {
        const missed = isEnd(event) ? 5 : 1;
        if ((draws.next().value ?? 0) >= missed) host.take(event);
        const found = fast.take(event, host);
        expect(found).toEqual(slow.take(event, host));
        for (const { invariant } of found) met.add(invariant);
      }
    }),
    options,
  );
  expectMet(met, invariantNames);
});

test('a table that differs from its machine is found at every step where XState finds it', () => {
  const { machines } = kernelRules('linux-7.3');
  const faults = machineNames.flatMap((name) =>
    [...faultyTables(machines[name].table)].map((faulty) => ({ name, faulty })),
  );
  const ofEach = Map.groupBy(faults, ({ faulty }) => faulty.fault);
  const anyFault = fc.oneof(...[...ofEach.values()].map((some) => fc.constantFrom(...some)));
  const met = new Set<Fault>();
  fc.assert(
    fc.property(brokenLog, anyFault, (events, { name, faulty }) => {
      const { table } = machines[name];
      const right = { ...table };
      const [fast, slow] = [new Verifier(), new SlowVerifier()];
      try {
        table.next = (...asked) => faulty.next(...asked);
        table.record = (...asked) => faulty.record(...asked);
        for (const event of events) fast.take(event);
        for (const event of events) slow.take(event);
      } finally {
        Object.assign(table, right);
      }
      expect(fast.findings).toEqual(slow.findings);
      if (slow.findings.some(({ kind }) => kind === 'table')) met.add(faulty.fault);
    }),
    // A guard decides in few logs.
    { numRuns: isCampaign ? LOGS : 3 * LOGS },
  );
  expectMet(met, ofEach.keys());
});
