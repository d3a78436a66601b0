import type { Call } from '../../events/vocabulary.ts';
import type { Topology } from '../../scenario/topology.ts';
import type { Profile } from '../../machines/profile.ts';
import { ScenarioHost } from '../../host/scenario-host.ts';
import { parseLine, type OperationStatement } from '../../scenario/language.ts';
import type { GivenAnswer } from '../../conformance/agreement.ts';
import { recording, type RecordedAnswer } from './truth.ts';

/** Where the calls of a recording are made: on another host than the one that words are resolved on. */
export interface CallMaker {
  boot(): void;
  /** A process that did not exist is started. */
  start(comm: string): void;
  /**
   * Makes a call. Pids are those of `comms`, as the recording's host numbers them. Returns the answer
   * and, for a mapping, its address.
   */
  make(call: Call, comms: ReadonlyMap<number, string>): GivenAnswer & { readonly id?: number };
}

function statementOf({ p, op }: RecordedAnswer): OperationStatement {
  const statement = parseLine(/^P\d$/.test(p) ? `@${p} ${op}` : op);
  if (statement?.kind !== 'operation') throw new Error(`no operation: ${op}`);
  return statement;
}

/** A call with the processes that were started for it. */
function withPids(call: Call, started: readonly number[]): Call {
  const pids = [...started];
  const known = { ...call } as { pid?: number; to?: number };
  if (known.pid === -1) known.pid = pids.shift() ?? -1;
  if (call.operation === 'send' && known.to === -1) known.to = pids.shift() ?? known.pid ?? -1;
  return known as Call;
}

/** Resolves the words of a recording to calls, has them made, and yields what came of each. */
export function* callsOf(
  profile: Profile,
  name: string,
  makerOn: (topology: Topology) => CallMaker,
): Generator<{ where: string; recorded: RecordedAnswer; made: GivenAnswer }> {
  const { topology, answers } = recording(profile, name);
  const maker = makerOn(topology);
  const player = new ScenarioHost(topology, profile);
  const comms = new Map<number, string>();
  /** Addresses of mappings, by those of the player, which leaves room for buffers. */
  const addresses = new Map<number, number>();
  let seq = '';
  for (const recorded of answers) {
    if (recorded.seq !== seq) {
      seq = recorded.seq;
      player.boot(seq);
      maker.boot();
      addresses.clear();
    }
    const statement = statementOf(recorded);
    const call = player.foresee(statement);
    // The language does not mind when the process to be killed is not there.
    if (call.operation === 'kill' && call.pid === -1) continue;
    const { facts } = player.play(statement);
    const started: number[] = [];
    for (const { type, data } of facts) {
      if (type === 'process.started') comms.set(data.pid, data.comm);
      if (type === 'process.forked') comms.set(data.child, data.comm);
      if (type !== 'process.started' || call.operation === 'spawn') continue;
      started.push(data.pid);
      maker.start(data.comm);
    }
    const known = withPids(call, started);
    const { id, ...made } = maker.make(
      known.operation === 'munmap'
        ? { ...known, mapping: addresses.get(known.mapping) ?? known.mapping }
        : known,
      comms,
    );
    const mapped = facts.at(-1);
    if (mapped?.type === 'mapping.created' && id !== undefined) {
      addresses.set(mapped.data.mapping, id);
    }
    if (recorded['dead'] === true || recorded['timeout'] === true) continue;
    yield { where: `${seq} #${recorded.n} ${recorded.p} ${recorded.op}`, recorded, made };
  }
}
