import fc from 'fast-check';
import {
  hostCommands,
  hostRuns,
  hosts,
  operations,
  processes,
  scenarios,
  topologies,
  type HostModel,
} from 'vfio-ledger/fast-check';
import { virtualHost, type VirtualHost } from 'vfio-ledger/virtual-host';

fc.assert(
  fc.property(hosts({ profile: 'linux-7.3', maxOperations: 20 }), (host) => {
    const same: VirtualHost = host;
    return same.process('driver').fds().length === 0 && host.scenario() !== '';
  }),
);
fc.assert(
  fc.property(scenarios({ topology: topologies({ maxDevices: 2 }), refused: 10 }), (drawn) => {
    const host = virtualHost(drawn);
    fc.modelRun(() => ({ model: { host }, real: null }), drawn.commands);
    return drawn.lines.length > 0 && drawn.host().profile !== 'rfc-2021';
  }),
);

interface Model extends HostModel {
  opened: number;
}
const open: fc.Arbitrary<fc.Command<Model, number>> = fc.constant({
  check: ({ opened }) => opened < 2,
  run: (model, real) => void (model.opened += real),
  toString: () => 'open',
});
const others = hostCommands({ devices: ['d0'], processes: 2, only: ['bind', 'close'] });
fc.assert(
  fc.property(hostRuns<Model, number>([open, others]), ({ host, commands }) => {
    fc.modelRun(() => ({ model: { host, opened: 0 }, real: 1 }), commands);
  }),
);
const line: fc.Arbitrary<string> = operations({ devices: ['d0'] });
const process: fc.Arbitrary<'P1' | `P${number}`> = processes();
console.log(line, process);

// A wrong key.
// @ts-expect-error
hosts({ maxOperation: 20 });
// @ts-expect-error
topologies({ devices: 3 });
// @ts-expect-error
operations({ only: ['bind'] });

// A wrong value.
// @ts-expect-error
hosts({ profile: 'linux-1.0' });
// @ts-expect-error
operations({ devices: ['d0'], only: ['bnid'] });
// @ts-expect-error
scenarios({ refused: 'some' });
// @ts-expect-error
hostRuns([fc.constant('bind A I')]);
