/**
 * What a kernel is asked, up to a number of operations.
 *
 * @module
 */
import type { Sequence } from '../../host/simulation.ts';
import { rowOf } from '../../operations/table.ts';
import type { Profile } from '../../machines/profile.ts';
import type { Topology } from '../../scenario/topology.ts';
import { ObservedHost } from '../coverage.ts';
import { histories, longHistories } from './histories.ts';
import { inOrderOfNews, type News } from './order.ts';
import { allWays, pathSequences } from './paths.ts';
import { situationOf } from './situation.ts';

/**
 * What a kind of situation counts for while it is new. Where something may change hands and does, a
 * rule that is missing shows; right after it, what a change has wrongly left behind; and where it is
 * refused, a rule that is wrong.
 */
const worth = { changes: 64, aftermath: 128, refused: 2, looks: 1 } as const;

/** Paths between two histories. */
const PATHS = 12;

/**
 * Paths through the machines, first to each kind of situation and then to each exact one, with
 * those before others that put most to the test, and random histories among them. Where the paths
 * have come to their end, histories go on.
 */
export function* plan(
  topology: Topology,
  profile: Profile,
  { operations, seed }: { readonly operations: number; readonly seed: number },
): Generator<Sequence> {
  const paths = orderedPaths(topology, profile);
  yield* upTo(operations, inTurn(paths, histories(topology, profile, seed)));
}

/** Random histories of hosts that live long, and nothing else. */
export function longLivedPlan(
  topology: Topology,
  profile: Profile,
  { operations, seed }: { readonly operations: number; readonly seed: number },
): Generator<Sequence> {
  return upTo(operations, longHistories(topology, profile, seed));
}

/** As many sequences as have that many operations; the last one is cut. */
function* upTo(operations: number, sequences: Iterable<Sequence>): Generator<Sequence> {
  let left = operations;
  for (const sequence of sequences) {
    if (left <= 0) return;
    yield { ...sequence, operations: sequence.operations.slice(0, left) };
    left -= sequence.operations.length;
  }
}

function* orderedPaths(topology: Topology, profile: Profile): Generator<Sequence> {
  const ways = allWays(topology, profile);
  const inOrder = (sequences: readonly Sequence[]): Sequence[] =>
    inOrderOfNews(sequences, (sequence) => newsOf(sequence, topology, profile));
  for (const grain of ['kind', 'exactly'] as const) {
    const { wrong = [], right = [] } = Object.groupBy(pathSequences(ways, grain), ({ name }) =>
      name.includes(`.kindsOfFile.`) ? 'wrong' : 'right',
    );
    yield* mixed(inOrder(right), inOrder(wrong));
  }
}

/** Two lists as one, in proportion to what there is of each. */
function* mixed<T>(many: readonly T[], few: readonly T[]): Generator<T> {
  const share = few.length / Math.max(many.length, 1);
  const others = few.values();
  let due = 0;
  for (const one of many) {
    yield one;
    for (due += share; due >= 1; due--) {
      const { value } = others.next();
      if (value !== undefined) yield value;
    }
  }
  yield* others;
}

/** What a sequence puts to the test: transitions, and situations. */
function newsOf(sequence: Sequence, topology: Topology, profile: Profile): News {
  const observed = new ObservedHost(topology, profile);
  observed.boot(sequence.name);
  const news = new Map<string, number>();
  let change: string | null = null;
  for (const statement of sequence.operations) {
    const { kind, exactly, isRefused } = situationOf(observed.host, statement);
    const isChange = rowOf(statement.operation).records.length > 0;
    const weight = !isChange ? worth.looks : isRefused ? worth.refused : worth.changes;
    news.set(kind, weight).set(exactly, worth.looks);
    // What was asked right after a change tells what the change has left behind.
    if (change !== null) news.set(`${change} > ${kind}`, worth.aftermath);
    change = isChange && !isRefused ? exactly : null;
    const { check, items } = observed.play(statement);
    if (check !== null) news.set(`${statement.operation}: ${check}`, worth.changes);
    for (const item of items) news.set(item, worth.refused);
  }
  return news;
}

function* inTurn(
  paths: Iterable<Sequence>,
  histories: Generator<Sequence, never>,
): Generator<Sequence> {
  let count = 0;
  for (const path of paths) {
    yield path;
    if (++count % PATHS === 0) yield histories.next().value;
  }
  yield* histories;
}
