import type { Guest, KernelAnswer } from '../../conformance/guest.ts';
import { ScenarioHost } from '../../host/scenario-host.ts';
import type { Profile } from '../../machines/profile.ts';
import { recording } from '../support/truth.ts';

/** A guest without a kernel: the machines of a profile answer. */
export function pretended(profile: Profile): Guest {
  const { topology } = recording(profile, 'questions');
  const host = new ScenarioHost(topology, profile);
  return {
    topology,
    topologyLine: JSON.stringify({ topology }),
    async perform({ name, operations }) {
      host.boot(name);
      return operations.map((statement, n): KernelAnswer => {
        const { cause: _, rc = null, ...answer } = host.play(statement).answer;
        const said = { seq: name, n, rc, ...answer };
        return { ...said, line: JSON.stringify(said) };
      });
    },
    async close() {},
  };
}
