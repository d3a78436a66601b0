import { describe, expect, test } from 'vitest';
import type { Call, Fact, Placed } from '../../events/vocabulary.ts';
import { freeAddress, hostOn } from '../../host/attempt.ts';
import { DmaMappings } from '../../host/dma-mappings.ts';
import { firstStart, ScenarioHost } from '../../host/scenario-host.ts';
import { openLedger } from '../../ledger.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { parseLine, type OperationStatement } from '../../scenario/language.ts';
import { perform, type Port } from '../../scenario/perform.ts';
import { recording, recordings } from '../support/truth.ts';
import { someOf } from '../support/effort.ts';

/** A host that calls are made on by their numbers alone, beside one that plays statements. */
class Numbers {
  readonly host = new LiveHost();
  readonly mappings = new DmaMappings();
  facts: Fact[] = [];
  #position = 0;
  #pid = firstStart.pid;
  /** Our addresses by the player's, which leaves room for buffers. */
  readonly #addresses = new Map<number, number>();
  readonly #port: Port = {
    ...hostOn(
      () => this.host,
      this.mappings,
      (fact) => this.happened(fact),
    ),
    newPid: () => this.newPid(),
    addressFor: (pid) => freeAddress(this.host, pid),
  };

  constructor() {
    this.host.mappings = this.mappings;
  }

  newPid(): number {
    return this.#pid++;
  }

  happened(fact: Fact): void {
    this.facts.push(fact);
    this.host.take({ ...fact, position: this.#position++ });
    this.mappings.forget(this.host);
  }

  /** Makes the call of a statement whose facts the player told. */
  make(call: Call, told: readonly Fact[]): void {
    const ours = call.operation === 'munmap' ? this.#addresses.get(call.mapping) : undefined;
    perform(
      this.#port,
      call.operation === 'munmap' && ours !== undefined ? { ...call, mapping: ours } : call,
    );
    const [mapped, mine] = [told.at(-1), this.facts.at(-1)];
    if (mapped?.type === 'mapping.created' && mine?.type === 'mapping.created') {
      this.#addresses.set(mapped.data.mapping, mine.data.mapping);
    }
  }
}

/** A fact without its place, nor the address of a mapping. */
function plain(fact: Fact | Placed<Fact>): unknown {
  const { mapping: _, ...data } = fact.data as { mapping?: number };
  return { type: fact.type, data };
}

/** The calls of a process that was started for them have its pid, and not -1. */
function withPids(call: Call, started: readonly number[]): Call {
  const pids = [...started];
  const known = { ...call } as { pid?: number; to?: number };
  if (known.pid === -1) known.pid = pids.shift() ?? -1;
  if (call.operation === 'send' && known.to === -1) known.to = pids.shift() ?? known.pid ?? -1;
  return known as Call;
}

function statementOf({ p, op }: { readonly p: string; readonly op: string }): OperationStatement {
  const statement = parseLine(/^P\d$/.test(p) ? `@${p} ${op}` : op);
  if (statement?.kind !== 'operation') throw new Error(`no operation: ${op}`);
  return statement;
}

const asked = someOf(recordings(), 12);

describe('a call by its numbers is what the player makes of the words', () => {
  test.each(asked)('%s: %s', (profile, name) => {
    const { topology, answers } = recording(profile, name);
    const player = new ScenarioHost(topology, profile);
    const numbers = new Numbers();
    let seq = '';
    for (const answer of answers) {
      numbers.facts = [];
      if (answer.seq !== seq) for (const fact of player.boot(answer.seq)) numbers.happened(fact);
      seq = answer.seq;
      // The kernel has died: it answers nothing, and the player plays nothing.
      if (answer['dead'] === true) continue;
      const statement = statementOf(answer);
      const call = player.foresee(statement);
      // The language does not mind when the process to be killed is not there.
      if (call.operation === 'kill' && call.pid === -1) continue;
      const told = player.play(statement).facts;
      // A process that is not there yet is started by its name, and by its number has to be there.
      const started = told.flatMap((fact) =>
        fact.type === 'process.started' && call.operation !== 'spawn' ? fact.data : [],
      );
      numbers.facts = [];
      for (const data of started) {
        numbers.newPid();
        numbers.happened({ type: 'process.started', data });
      }
      const pids = started.map(({ pid }) => pid);
      numbers.make(withPids(call, pids), told);
      const where = `${seq} #${answer.n} ${answer.p} ${answer.op}`;
      expect([where, numbers.facts.map(plain)]).toEqual([where, told.map(plain)]);
    }
    expect(numbers.host.contradictions).toEqual([]);
  });
});

test('a VFIO variant driver gives a device its node, in a scenario and in a what-if', async () => {
  const driver = 'mlx5_vfio_pci';
  const bdf = '0000:01:00.0';
  const device = { name: 'd0', bdf, group: 1, driver, cdev: 'vfio0' };
  const topology = { kernel: '6.12.1', iommufd: true, devices: [device] };
  const ledger = await openLedger(':memory:');
  const away = 'set_driver d0 none\n';
  await ledger.simulate(`${away}set_driver d0 ${driver}\nopen_cdev A d0\n`, { topology });
  const bound = { type: 'driver.bound', data: { device: bdf, driver, cdev: 'vfio0' } };
  expect(ledger.events).toContainEqual(expect.objectContaining(bound));
  expect(ledger.log({ refused: true })).toEqual([]);

  const other = await openLedger(':memory:');
  await other.simulate(away, { topology });
  const fork = other.at('end').fork();
  fork.attempt({ operation: 'set_driver', device: bdf, driver });
  expect(fork.events.at(-1)).toMatchObject(bound);
});
