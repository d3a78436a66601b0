import { describe, expect, test } from 'vitest';
import { differenceOf } from '../../conformance/agreement.ts';
import { ScenarioHost } from '../../host/scenario-host.ts';
import { parseLine } from '../../scenario/language.ts';
import { isCampaign, someOf } from '../support/effort.ts';
import { allRecordings, recording, recordings } from '../support/truth.ts';

describe('the machines answer as the kernel did', () => {
  // The report compares the answers of the long ones as well; a campaign also asks for their causes.
  test.each(isCampaign ? allRecordings() : someOf(recordings(), 4))('%s: %s', (profile, name) => {
    const { topology, answers } = recording(profile, name);
    const host = new ScenarioHost(topology, profile);
    const wrong: string[] = [];
    let seq = '';
    for (const recorded of answers) {
      if (recorded.seq !== seq) host.boot(recorded.seq);
      seq = recorded.seq;
      const own = /^P\d$/.test(recorded.p);
      const statement = parseLine(own ? `@${recorded.p} ${recorded.op}` : recorded.op);
      if (statement?.kind !== 'operation') throw new Error(`no operation: ${recorded.op}`);
      const { answer } = host.play(statement);
      if (recorded['dead'] === true || recorded['timeout'] === true) continue;
      const where = `${seq} #${recorded.n} ${recorded.p} ${recorded.op}`;
      const difference = differenceOf(recorded, answer);
      if (difference !== null) {
        wrong.push(`${where}: the kernel says ${difference.kernel}, we say ${difference.ours}`);
      }
      if (answer.rc === -1 && answer.cause === undefined) wrong.push(`${where}: no cause`);
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(host.live.contradictions).toEqual([]);
  });
});
