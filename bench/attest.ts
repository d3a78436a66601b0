/**
 * What the evidence proves of two tenants that had a group a thousand times each.
 *
 * @module
 */
import { join } from 'node:path';
import { inChild } from './children.ts';
import type { Figure, Run } from './figure.ts';
import { type Measurement, measurement, percentile } from './measurement.ts';
import { attestations } from './two-tenants.ts';

/** Of ms, for 99 of 100 questions. */
const LIMIT = 50;
/** Questions of a kind in a round, at most: an answer about a long log takes long. */
const MOST = 20;

export const attest: Figure = async (run) => {
  const taken: Measurement[] = [];
  for (const events of run.lengths) {
    run.progress(`two tenants: ${events} events`);
    const rounds = asked(run, events);
    for (const [index, [question]] of attestations.entries()) {
      const of = { host: 'whole', events, unit: 'ms' } as const;
      const spent = rounds.map((round) =>
        round.filter((_, at) => at % attestations.length === index),
      );
      const at = (percent: number) => spent.map((values) => percentile(values, percent));
      const figure = `attest ${question} of two tenants`;
      taken.push(
        measurement({ ...of, figure: `${figure}, p50`, ours: at(50) }),
        measurement({ ...of, figure: `${figure}, p99`, ours: at(99), beside: LIMIT }),
      );
    }
  }
  return taken;
};

/** The times of each round, in ms. */
function asked({ folder, effort }: Run, events: number): (readonly number[])[] {
  const path = join(folder, `tenants-${events}.ledger`);
  inChild('writeTwoTenants', path, events);
  inChild('build', path);
  const count = Math.min(effort.questions, MOST);
  return Array.from({ length: effort.longRounds }, () => {
    return inChild('askAttestations', path, count).values;
  });
}
