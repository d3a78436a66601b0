/**
 * Questions at random positions of a log, and what each of them took.
 *
 * @module
 */
import type { Ledger } from '../ledger.ts';
import { passedThrough } from './host/hardware.ts';
import { Random } from './host/random.ts';
import type { Notes } from './notes.ts';

/** Asked before any that count: until then code is compiled. */
const WARM_UP = 0.5;
/** Events that the boot and the devices found take: nobody asks about what is not there yet. */
const BOOTING = 60;

type Ask = (ledger: Ledger, random: Random, notes: Notes) => unknown;

function somewhere(random: Random, { events, boots }: Notes): number {
  for (;;) {
    const position = random.below(events);
    const boot = boots.findLast((at) => at <= position) ?? 0;
    if (position - boot >= BOOTING) return position;
  }
}

const asks = {
  table: (ledger, random, notes) => ledger.at(somewhere(random, notes)).table(),
  owner: (ledger, random, notes) => {
    const { group } = random.pick(passedThrough);
    return ledger.at(somewhere(random, notes)).group(group);
  },
  who: (ledger, random, notes) => {
    const { device } = random.pick(passedThrough);
    return ledger.at(somewhere(random, notes)).who(device);
  },
  why: (ledger, random, { refusals }) => ledger.why(random.pick(refusals)),
} satisfies Record<string, Ask>;

export type QuestionKind = keyof typeof asks;

/** Every kind by turns. */
const mixed: Ask = (ledger, random, notes) =>
  random.pick(Object.values<Ask>(asks))(ledger, random, notes);

/** Asks so many questions of a kind, or `mixed` ones; gives the time of each, in ms. */
export function askQuestions(
  ledger: Ledger,
  notes: Notes,
  kind: string,
  count: number,
  seed: number,
): number[] {
  const random = new Random(seed);
  const ask: Ask = kind === 'mixed' ? mixed : asks[kind as QuestionKind];
  for (let warm = Math.ceil(count * WARM_UP); warm > 0; warm--) ask(ledger, random, notes);
  return Array.from({ length: count }, () => {
    const start = performance.now();
    ask(ledger, random, notes);
    return performance.now() - start;
  });
}
