/**
 * Logs at random that are broken: events are left out, there twice, swapped or have other arguments.
 *
 * @module
 */
import fc from 'fast-check';
import type { Fact } from '../../events/vocabulary.ts';
import { evidence } from './random-evidence.ts';
import { anyLog, placed, type Log } from './random-logs.ts';
import { endlessHost, unseenHost } from './unseen-hosts.ts';

/** One thing done to a log; `at` and `from` are parts of its length, from 0 to 1. */
interface Break {
  readonly kind: 'left-out' | 'twice' | 'swapped' | 'other-argument';
  readonly at: number;
  readonly from: number;
  readonly key: string;
}

/** Arguments that name what is touched. */
const keys = ['pid', 'fd', 'as', 'to', 'device', 'group', 'driver', 'iommufd', 'container', 'pt'];

const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const breaks = fc.array(
  fc.record<Break>({
    kind: fc.constantFrom('left-out', 'twice', 'swapped', 'other-argument'),
    at: part,
    from: part,
    key: fc.constantFrom(...keys),
  }),
  { maxLength: 8 },
);

const whole = fc.oneof(anyLog, unseenHost, endlessHost, evidence as fc.Arbitrary<Log>);

/** Logs of up to 300 events with up to eight breaks. */
export const brokenLog: fc.Arbitrary<Log> = fc.tuple(whole, breaks).map(([log, some]) => {
  const facts: Fact[] = log.slice(0, 300);
  for (const each of some) breakAt(facts, each);
  return placed(facts);
});

function breakAt(facts: Fact[], { kind, at: where, from, key }: Break): void {
  const at = Math.floor(where * facts.length);
  const [fact, next] = [facts[at], facts[at + 1]];
  if (fact === undefined) return;
  switch (kind) {
    case 'left-out':
      facts.splice(at, 1);
      return;
    case 'twice':
      facts.splice(at, 0, fact);
      return;
    case 'swapped':
      if (next !== undefined) facts.splice(at, 2, next, fact);
      return;
    case 'other-argument':
      facts[at] = withArgumentOf(fact, facts, key, from);
  }
}

/** The fact with the argument that another fact has, or its next one that has it. */
function withArgumentOf(fact: Fact, facts: readonly Fact[], key: string, from: number): Fact {
  if (!Object.hasOwn(fact.data, key)) return fact;
  const start = Math.floor(from * facts.length);
  const other = facts.slice(start).find(({ data }) => Object.hasOwn(data, key));
  if (other === undefined) return fact;
  const { [key]: argument } = other.data as object as Readonly<Record<string, unknown>>;
  return { ...fact, data: { ...fact.data, [key]: argument } } as Fact;
}
