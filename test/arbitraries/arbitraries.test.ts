import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HostCommand,
  hostCommands,
  hostRuns,
  hosts,
  operations,
  processes,
  scenarios,
  topologies,
  type HostModel,
} from '../../arbitraries/fast-check.ts';
import { kernels } from '../../machines/profile.ts';
import { operationNames } from '../../operations/table.ts';
import { parseTopology } from '../../scenario/topology.ts';
import { virtualHost, type VirtualHost } from '../../virtual-host/virtual-host.ts';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [{ name: 'gpu', bdf: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
};
const settings = { topology, profile: 'linux-7.3' } as const;

/** The simplest value for which a predicate fails. */
function simplest<T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => boolean, seed?: number): T {
  const { counterexample } = fc.check(fc.property(arbitrary, holds), {
    numRuns: 5000,
    ...(seed !== undefined && { seed }),
  });
  if (counterexample === null) throw new Error('it always holds');
  return counterexample[0];
}

test('topologies are valid, and shrink to one device of vfio-pci', () => {
  const drawn = fc.sample(topologies({ maxDevices: 6 }), 200);
  for (const one of drawn) expect(parseTopology({ topology: one })).toMatchObject(one);
  const sizes = new Set(drawn.map(({ devices }) => devices.length));
  expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([1, 6]);
  const shares = ({ devices }: (typeof drawn)[number]) =>
    new Set(devices.map(({ group }) => group)).size < devices.length;
  expect(drawn.some(shares)).toBe(true);
  expect(simplest(topologies(), () => false).devices).toMatchObject([{ driver: 'vfio-pci' }]);
});

test('processes are those of the scenario language', () => {
  expect(new Set(fc.sample(processes(8), 500)).size).toBe(8);
  expect(simplest(processes(), () => false)).toBe('P1');
});

describe('scenarios', () => {
  /** How many operations pass and are refused, in scenarios on a kernel. */
  const answersOf = (profile: (typeof kernels)[number], refused?: number) => {
    const drawn = fc.sample(scenarios({ profile, refused }), 30);
    const answers = drawn.flatMap((one) => virtualHost(one).play(one.toString()));
    const failed = answers.filter(({ errno }) => errno !== undefined);
    return { answers, failed, passed: answers.length - failed.length };
  };

  test.each(kernels)('have more legal operations than illegal ones: %s', (profile) => {
    const { failed, passed } = answersOf(profile);
    expect(failed.length).toBeGreaterThan(0);
    expect(passed).toBeGreaterThan(2 * failed.length);
    // What is refused is refused for many causes.
    expect(new Set(failed.map(({ cause }) => cause)).size).toBeGreaterThan(8);
    const more = answersOf(profile, 80);
    expect(more.failed.length).toBeGreaterThan(more.passed);
  });

  test('reach owners of both kinds, on kernels that have them', () => {
    const kinds = new Set(
      fc.sample(scenarios({ profile: 'linux-7.3' }), 100).flatMap((drawn) =>
        drawn
          .host()
          .ledger.at('end')
          .table()
          .groups.map(({ owner }) => owner.kind),
      ),
    );
    expect([...kinds].toSorted()).toEqual(['container', 'iommufd', 'kernel', 'none']);
  });

  test('are the same for the same seed', () => {
    const texts = () => fc.sample(scenarios(), { seed: 7, numRuns: 20 }).map(String);
    expect(texts()).toEqual(texts());
  });

  test('shrink to the fewest lines and a small host', () => {
    const holds = (drawn: { toString(): string }) => !/^bind A I$/m.test(String(drawn));
    const profile = 'linux-7.3';
    const isOwned = (host: VirtualHost) =>
      host.ledger
        .at('end')
        .table()
        .groups.some(({ owner }) => owner.kind === 'iommufd');
    for (const seed of [1, 2, 3]) {
      expect(simplest(scenarios({ profile }), holds, seed).lines).toEqual(['bind A I']);
      const owned = simplest(scenarios({ profile }), (drawn) => !isOwned(drawn.host()), seed);
      expect(owned.topology.devices.length).toBeLessThanOrEqual(2);
      expect(owned.lines.length).toBeLessThanOrEqual(4);
      for (const at of owned.lines.keys()) {
        const host = virtualHost(owned);
        host.play(owned.lines.toSpliced(at, 1).join('\n'));
        expect(isOwned(host)).toBe(false);
      }
    }
  });

  test('that are given as examples shrink, too', () => {
    const long = scenarios(settings).filter(({ lines }) => lines.length > 20);
    const [example = null] = fc.sample(long, 1);
    if (example === null) throw new Error('nothing was drawn');
    const property = fc.property(scenarios(settings), ({ lines }) => lines.length < 3);
    const { counterexample } = fc.check(property, { examples: [[example]], numRuns: 1 });
    expect(counterexample?.[0]?.lines).toHaveLength(3);
  });

  test('are commands of a model-based run', () => {
    fc.assert(
      fc.property(scenarios(), (drawn) => {
        const host = virtualHost(drawn);
        fc.modelRun(() => ({ model: { host }, real: null }), drawn.commands);
        expect(host.scenario()).toBe(drawn.host().scenario());
      }),
      { numRuns: 30 },
    );
  });
});

describe('operations', () => {
  test('are all drawn, or those that are asked for', () => {
    const words = (lines: readonly string[]) =>
      new Set(lines.map((line) => /^(?:@P\d )?(\w+)/.exec(line)?.[1] ?? line));
    const all = fc.sample(operations({ devices: ['gpu'] }), 8000);
    expect(words(all)).toEqual(new Set(operationNames));
    const some = fc.sample(operations({ devices: ['gpu'], only: ['bind', 'close'] }), 100);
    expect(words(some)).toEqual(new Set(['bind', 'close']));
  });
});

describe('commands', () => {
  test('run what the host admits, and as much of the rest as is asked for', () => {
    const run = (refused: number) => {
      const arbitrary = hostCommands({ devices: ['gpu', 'gone'], refused });
      const refusals = (host: VirtualHost) => host.ledger.log({ refused: true });
      return fc
        .sample(hostRuns<HostModel, null>([arbitrary], { ...settings, maxCommands: 60 }), 50)
        .map(({ host, commands }) => {
          fc.modelRun(() => ({ model: { host }, real: null }), commands);
          expect(host.scenario()).not.toContain('gone');
          return refusals(host).map(({ data }) => JSON.stringify(data));
        });
    };
    expect(run(0).flat()).toEqual([]);
    expect(run(100).flat()).not.toEqual([]);
  });

  test('are the same operation whenever they run', () => {
    const command = new HostCommand('@P2 open_group G gpu');
    const texts = [1, 2].map(() => {
      const host = virtualHost(settings);
      command.run({ host });
      return host.scenario();
    });
    expect(texts).toEqual(['@P2 open_group G g26\n', '@P2 open_group G g26\n']);
    expect(String(command)).toBe('@P2 open_group G gpu');
  });

  test('are run on a fresh host each time', async () => {
    const arbitrary = hostRuns<HostModel, null, Promise<void>, true>(
      [
        fc.constant({
          check: async () => true,
          run: async ({ host }: HostModel) => void host.spawn('once'),
          toString: () => 'spawn',
        }),
      ],
      { ...settings, maxCommands: 1 },
    );
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ host, commands }) => {
        await fc.asyncModelRun(() => ({ model: { host }, real: null }), commands);
      }),
    );
  });
});

describe('hosts', () => {
  test('are fresh in each run, with the scenario that was played on them', () => {
    fc.assert(
      fc.property(hosts(), (host) => {
        const before = host.scenario();
        host.process('driver').openContainer();
        expect(host.scenario().startsWith(before)).toBe(true);
      }),
      { numRuns: 20 },
    );
    expect(fc.sample(hosts({ ...settings, maxOperations: 0 }), 3).map(String)).toEqual([
      '',
      '',
      '',
    ]);
  });

  test('print all calls when they are a counterexample', () => {
    const property = fc.property(hosts(settings), (host) => {
      host.process('driver').openGroup(26);
      throw new Error('a fault');
    });
    const { counterexample } = fc.check(property);
    expect(counterexample?.[0].scenario()).toBe('open_group G g26\n');
  });
});

test('wrong constraints are a bad request', () => {
  const bad = expect.objectContaining({ code: 'bad-request' });
  expect(() => topologies({ maxDevices: 0 })).toThrow('maxDevices is from 1 to 32, not 0');
  expect(() => processes(9)).toThrow(bad);
  expect(() => scenarios({ refused: 101 })).toThrow(bad);
  expect(() => scenarios({ maxOperations: Number.NaN })).toThrow(bad);
  expect(() => operations({ devices: [] })).toThrow('devices');
  expect(() => operations({ devices: ['d'], only: ['bnid' as never] })).toThrow(
    "only takes operations, not 'bnid'; nearest is bind",
  );
  expect(() => hostRuns([])).toThrow(bad);
  expect(() => new HostCommand('seq again')).toThrow("no operation: 'seq again'");
  expect(() => hosts({ topology: '{' })).toThrow(bad);
  expect(() => hosts({ profile: 'linux-1.0' as never })).toThrow(bad);
});
