/**
 * All questions that a log answers from its index, as a caller of the library asks them.
 *
 * @module
 */
import { LedgerError } from '../../../events/ledger-error.ts';
import { RecordedPast } from '../../../ledger/recorded-past.ts';
import { WhatIf } from '../../../ledger/what-if.ts';
import type { Head, RecordedEvent } from '../../../log/store.ts';
import type { Timeline } from '../../../projections/timeline.ts';
import type { Log } from '../../support/random-logs.ts';
import { askedOf, wordFor } from './ways.ts';

/** A ledger over a timeline with short segments. */
class ShelvedPast extends RecordedPast {
  get head(): Head {
    return { position: this.timeline.head, hash: '0'.repeat(64) };
  }

  protected get isDerived(): boolean {
    return true;
  }

  protected forkAt(position: number): WhatIf {
    return new WhatIf(this.timeline, position, this.clock);
  }
}

export function pastOf(timeline: Timeline): RecordedPast {
  return new ShelvedPast(timeline as unknown as Timeline<RecordedEvent>);
}

type Question = (past: RecordedPast) => unknown;

/** The answers, in words; the code of the error of a question that no log answers. */
export function answersOfAll(past: RecordedPast, log: Log): string[] {
  return questionsOf(log).map((question) => {
    try {
      return JSON.stringify(question(past)) ?? '';
    } catch (error) {
      if (error instanceof LedgerError) return error.code;
      throw error;
    }
  });
}

/** Every question, about a few subjects and moments. */
function questionsOf(log: Log): Question[] {
  const { subjects } = askedOf(log, [1]);
  const byKind = Map.groupBy(subjects, ({ kind }) => kind);
  const few = [...byKind.values()].flatMap((all) => [...all.slice(0, 1), ...all.slice(-1)]);
  const words = [...new Set(few.map(wordFor))];
  const groups = few.filter(({ kind }) => kind === 'group').map(({ id }) => id);
  const [pid = '1'] = few.filter(({ kind }) => kind === 'process').map(({ id }) => id);
  const [group = '1'] = groups;
  const end = log.length - 1;
  const middle = Math.floor(end / 2);
  const refused = log.flatMap(({ type, position }) => {
    return type === 'operation.refused' ? [position] : [];
  });
  const moments = [Math.floor(end / 4), middle, end];
  return [
    ...moments.flatMap((at): Question[] => [
      (past) => past.at(at).table(),
      (past) => past.at(at).orphans(),
      ...words.map((word): Question => (past) => [past.who(word, { at })]),
      ...words.map(
        (word): Question =>
          (past) =>
            past.at(at).whyUnknown(word),
      ),
      ...words.map(
        (word): Question =>
          (past) =>
            past.at(at).holdings(word),
      ),
      ...groups.map(
        (word): Question =>
          (past) =>
            past.at(at).owner(word),
      ),
    ]),
    ...words.flatMap((subject): Question[] => [
      (past) => past.history(subject),
      (past) => past.incarnations(subject),
      (past) => past.claimants(subject),
      (past) => past.log({ subject }),
      (past) => past.coverage({ subject }),
      (past) => past.why(subject),
    ]),
    ...[...refused.slice(0, 3), ...refused.slice(-3)].map((position): Question => {
      return (past) => {
        const found = past.why(position);
        return [found, past.explain(found)];
      };
    }),
    (past) => past.log({ refused: true }),
    (past) => [...past.each('device.bound')],
    (past) => past.diff(middle, 'end'),
    (past) => past.between(middle, 'end'),
    (past) => past.everOwned(`pid:${pid}`),
    (past) => past.waits(),
    (past) => past.overlaps(),
    (past) => past.bisect({ where: `group ${group} owner.kind = iommufd` }),
    (past) => [past.isTimed, past.lastTime, past.first, past.length],
    (past) => log.map(({ position }) => past.commOf(Number(pid), position)),
    (past) => past.attest('never-owned', group, `pid:${pid}`),
    (past) => past.attest('sole-owner', group, `pid:${pid}`),
    (past) => past.attest('never-shared', `pid:${pid}`, 'cgroup:/a'),
    (past) => past.attest('never-shared', 'comm:P1', 'comm:P2'),
    (past) => past.at(middle).fork().at('end').table(),
  ];
}
