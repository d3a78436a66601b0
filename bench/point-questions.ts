/**
 * Questions at random positions of a long log, warm: how long they take, and how that grows.
 *
 * @module
 */
import { inChild } from './children.ts';
import { type Figure, type LogKind, ofEachHost, type Run } from './figure.ts';
import { growth, type Medians, P99_LIMIT } from './growth.ts';
import type { HostKind } from './hosts.ts';
import { type Measurement, measurement, percentile } from './measurement.ts';
import type { QuestionKind } from './questions.ts';

/** Of the median, from the shorter log to the longest. */
const GROWTH = 1.2;

interface Question {
  readonly kind: QuestionKind;
  readonly what: string;
  /** Of ms, for 99 of 100 questions; null where none was set. */
  readonly limit: number | null;
  /** Whether some are answered another way, which takes longer. */
  readonly hasSlowerWay?: boolean;
  /** The hosts that it is asked about on the longest log. */
  readonly long: readonly HostKind[];
}

const QUESTIONS: readonly Question[] = [
  {
    kind: 'table',
    what: 'the table at a random position',
    limit: P99_LIMIT,
    long: ['whole'],
  },
  {
    kind: 'group',
    what: 'who holds a group at a random position',
    limit: P99_LIMIT,
    long: ['whole'],
  },
  {
    kind: 'cause',
    what: 'cause, blocker and wouldPassAfter of a refusal',
    limit: P99_LIMIT,
    hasSlowerWay: true,
    long: ['whole', 'boot unseen'],
  },
  {
    kind: 'because',
    what: 'because of a refusal, for the first time',
    limit: 20,
    hasSlowerWay: true,
    long: ['whole'],
  },
  { kind: 'why', what: 'why an attempt was refused', limit: null, long: ['whole'] },
];

export const pointQuestions: Figure = async (run) => {
  const taken: Measurement[] = [];
  for (const question of QUESTIONS) {
    run.progress(question.what);
    taken.push(...(await asked(run, question)));
  }
  return [...taken, ...(await played(run))];
};

/** The slower path of `wouldPassAfter`: the history is played again. */
function played(run: Run): Promise<Measurement[]> {
  return ofEachHost(run, {}, async ([events = 0], host) => {
    const { path } = await run.logs.at({ host, events });
    const ours = inChild('shareOfPlayed', path).values;
    const figure = 'refusals whose wouldPassAfter is played, not read';
    return [measurement({ figure, host, events, unit: '%', ours })];
  });
}

function asked(run: Run, question: Question): Promise<Measurement[]> {
  const { kind, what, long } = question;
  return ofEachHost(run, { long }, async (lengths, host) => {
    const taken: Measurement[] = [];
    const medians: Medians[] = [];
    for (const events of lengths) {
      const rounds = await askAt(run, { host, events }, kind);
      medians.push({ events, of: rounds.map((round) => percentile(round, 50)) });
      taken.push(...described(question, { host, events }, rounds));
    }
    return [...taken, ...growth({ figure: `${what}, p50`, host, limit: GROWTH }, medians)];
  });
}

/** The times of a round, in ms. */
type Round = readonly number[];

export async function askAt(run: Run, of: LogKind, kind: QuestionKind): Promise<Round[]> {
  const { path } = await run.logs.at(of);
  const { longRounds, questions } = run.effort;
  return Array.from(
    { length: longRounds },
    (_, round) => inChild('ask', path, kind, questions, round + 1).values,
  );
}

function described(
  { what, limit, hasSlowerWay = false }: Question,
  of: LogKind,
  rounds: readonly Round[],
): Measurement[] {
  const row = (figure: string, value: (round: Round) => number, unit: 'ms' | '%' = 'ms') =>
    ({ ...of, figure: `${what}, ${figure}`, unit, ours: rounds.map(value) }) as const;
  const p99 = row('p99', (round) => percentile(round, 99));
  const slower = (most: number) => (round: Round) =>
    (100 * round.filter((spent) => spent > most).length) / round.length;
  return [
    measurement(row('p50', (round) => percentile(round, 50))),
    measurement(limit === null ? p99 : { ...p99, beside: limit }),
    ...(limit === null || !hasSlowerWay
      ? []
      : [measurement(row(`share of those over ${limit} ms`, slower(limit), '%'))]),
  ];
}
