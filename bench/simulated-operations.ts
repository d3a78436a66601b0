/**
 * Operations played on the machines, from the text of a scenario to answers as JSON lines.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { topologyFrom } from '../ledger/settings.ts';
import { parseScenario, simulate } from '../host/simulation.ts';
import { contests } from './contest.ts';
import { sha256 } from '../log/hash.ts';

/** About as many as a turn of 50 ms takes at the limit. */
const SIZE = 5000;

const contest = {
  name: 'operations simulated on one core',
  beside: 100_000,
  target: 1,
  size: SIZE,

  async start() {
    const { topology, scenario } = recordedFlows();
    const ours = async () => {
      for (const { answer } of simulate(parseScenario(scenario), topology, 'linux-7.3', {
        seed: '',
        digest: sha256,
      })) {
        if (answer !== null) JSON.stringify(answer);
      }
    };
    return { turn: () => ({ ours }), end: async () => {} };
  },
};

export const simulatedOperations = contests([contest]);

/** What a real kernel was asked: the first operations of the recorded flows. */
function recordedFlows() {
  const file = new URL('../test/truth/linux-7.3/flows.jsonl.gz', import.meta.url);
  const [first = '', ...rest] = gunzipSync(readFileSync(file)).toString().split('\n');
  let current = '';
  const lines = rest.slice(0, SIZE).flatMap((line) => {
    const { seq, p, op } = JSON.parse(line) as { seq: string; p: string; op: string };
    const statement = /^P\d$/.test(p) ? `@${p} ${op}` : op;
    if (seq === current) return [statement];
    current = seq;
    return [`seq ${seq}`, statement];
  });
  return { topology: topologyFrom(first), scenario: lines.join('\n') };
}
