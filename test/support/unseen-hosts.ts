/**
 * Random hosts whose boot nobody saw: what a trace that began late shows of a host, with arguments
 * that it does not show, events that it missed, and gaps that it knows of.
 *
 * They reach what a host that was seen whole never does: doubt, eviction, hypotheses about arguments
 * and claims of managers.
 *
 * @module
 */
import fc from 'fast-check';
import { decode } from '../../events/codec.ts';
import { SCHEMA, type LedgerEvent, type Placed } from '../../events/vocabulary.ts';
import { drawFrom, type Draw } from './draw.ts';
import { calledHost } from './random-calls.ts';
import { randomLogs, type Log } from './random-logs.ts';
import { likely } from './random-evidence.ts';

type Data = Record<string, unknown>;
interface Loose {
  readonly type: string;
  readonly data: Data;
}

const ends = new Set(['descriptor.closed', 'process.exited', 'driver.unbound']);

/** How often of a hundred something is done to an event. */
interface Habits {
  /** Of what ends something: a close, an exit, an unbind. */
  readonly missedEnds: number;
  readonly missed: number;
  readonly hidden: number;
  readonly inserted: number;
  readonly inferred: number;
  readonly timed: boolean;
  readonly pointed: boolean;
  /** Whether the kernel was seen to let go, often after the last close that was seen. */
  readonly released: boolean;
}

const share = (max: number) => fc.integer({ min: 0, max });

const habits: fc.Arbitrary<Habits> = fc
  .record({
    missedEnds: share(25),
    hidden: share(60),
    inserted: share(15),
    inferred: share(30),
    timed: fc.boolean(),
    pointed: fc.boolean(),
    released: fc.boolean(),
  })
  .map((often) => ({ ...often, missed: often.missedEnds / 3 }));

const endless: fc.Arbitrary<Habits> = fc
  .record({ missedEnds: share(80), hidden: share(20) })
  .map((often) => ({
    ...often,
    missed: 0,
    inserted: 0,
    inferred: 0,
    timed: false,
    pointed: false,
    released: false,
  }));

const anySeen = fc.oneof(randomLogs.recorded, randomLogs.busy, likely as fc.Arbitrary<Log>);

function hostsOf(some: fc.Arbitrary<Habits>, logs = anySeen): fc.Arbitrary<Log> {
  return fc
    .tuple(logs, some, fc.integer())
    .map(([seen, habit, seed]) => unseen(seen.slice(0, 180), habit, drawFrom(seed)));
}

/** Logs of up to 180 events of such hosts. */
export const unseenHost = hostsOf(habits);

/** The same, of hosts on which processes make calls at random. */
export const unseenCalls = hostsOf(habits, calledHost({ min: 40, max: 180 }));

/** The same, of which the trace misses nothing but ends. */
export const endlessHost = hostsOf(endless);

function unseen(seen: Log, habit: Habits, draw: Draw): Log {
  const often = (percent: number) => draw() * 100 < percent;
  const events = new Collector(habit, draw);
  for (const [index, { type, data }] of seen.entries()) {
    const fact: Loose = { type, data: { ...data } };
    if (type === 'host.booted') {
      const assumed = { source: 'trace', line: null, certainty: 'assumed' };
      events.add({ type, data: { ...fact.data, simulated: false, evidence: assumed } });
      continue;
    }
    if (type === 'process.started') {
      events.add(often(40) ? { type: 'process.found', data: fact.data } : fact);
      continue;
    }
    if (often(ends.has(type) ? habit.missedEnds : habit.missed)) events.missed(fact);
    else {
      events.add(often(habit.hidden) ? hidden(fact, draw) : fact);
      if (habit.released && often(70)) events.missed(fact);
    }
    if (often(habit.inserted)) events.add(inserted(seen, index, draw));
  }
  return events.log;
}

/** Keeps what fits the vocabulary, each in its place. */
class Collector {
  readonly log: Placed<LedgerEvent>[] = [];
  readonly #habit: Habits;
  readonly #draw: Draw;
  /** Files by the descriptor that they were opened as, where the trace has the kernel's pointers. */
  readonly #pointers = new Map<string, { readonly kind: string; readonly pointer: string }>();
  #micros = 1_780_000_000_000_000;

  constructor(habit: Habits, draw: Draw) {
    this.#habit = habit;
    this.#draw = draw;
  }

  add(fact: Loose): void {
    const position = this.log.length;
    this.#micros += Math.floor(this.#draw() * 2_000_000);
    const { timed, pointed, released, inferred } = this.#habit;
    const data = { ...fact.data };
    const [, kind] =
      /^(group|device|iommufd|container)\.(?:opened|obtained)$/.exec(fact.type) ?? [];
    if (pointed && kind !== undefined) {
      const pointer = `0x${(0xff00 + position).toString(16)}`;
      data['pointer'] = pointer;
      if (released && kind !== 'container') data['releaseShown'] = true;
      this.#pointers.set(`${String(data['pid'])} ${String(data['as'] ?? data['fd'])}`, {
        kind,
        pointer,
      });
    }
    if (data['evidence'] === undefined && this.#draw() * 100 < inferred) {
      const certainty = this.#draw() < 0.5 ? 'inferred' : 'observed';
      const rule = certainty === 'inferred' ? { rule: 'an-open-device-needs-a-container' } : {};
      data['evidence'] = { source: 'trace', line: position, certainty, ...rule };
    }
    if (released && fact.type === 'process.exited') data['releaseShown'] = true;
    const time = timed ? `${new Date(this.#micros / 1000).toISOString().slice(0, -1)}000Z` : null;
    try {
      const event = { id: `e${position}`, time, schema: SCHEMA, type: fact.type, data };
      this.log.push({ ...decode(event), position });
    } catch {
      // Not every argument may be left out, and not every kind of event has each.
    }
  }

  /** What the trace did not show; the kernel may have been seen to let go all the same. */
  missed({ type, data: { pid, fd } }: Loose): void {
    const open = this.#pointers.get(`${String(pid)} ${String(fd)}`);
    if (type !== 'descriptor.closed' || open === undefined) return;
    this.add({ type: 'file.released', data: { pid, ...open } });
  }
}

const arguments_ = ['iommufd', 'container', 'device', 'pt', 'object', 'ioas', 'iommu', 'groups'];

/** The same, with one of its arguments not shown. */
function hidden({ type, data }: Loose, draw: Draw): Loose {
  const there = arguments_.filter((key) => Object.hasOwn(data, key));
  const key = there[Math.floor(draw() * there.length)];
  return key === undefined ? { type, data } : { type, data: { ...data, [key]: null } };
}

/** What else a trace, a reading or a manager's book says of such a host. */
function inserted(seen: Log, index: number, draw: Draw): Loose {
  const pick = <T>(some: readonly T[]): T => some[Math.floor(draw() * some.length)] as T;
  const facts = seen.slice(0, index + 1);
  const plugged = facts.flatMap((event) => (event.type === 'device.added' ? [event.data] : []));
  const { device, group } =
    plugged.length === 0 ? { device: '0000:01:00.0', group: '1' } : pick(plugged);
  const pid = pick(facts.flatMap(({ data }) => ('pid' in data ? [data.pid] : []))) ?? 1;
  const claim = {
    device,
    claimant: pick(['vm1', 'vm2']),
    uuid: null,
    manager: 'libvirt',
    reason: null,
  };
  const reading = { complete: draw() < 0.5, unseen: draw() < 0.5 ? [] : ['pid 7'] };
  return pick<() => Loose>([
    () => ({ type: 'claim.granted', data: claim }),
    () => ({ type: 'claim.released', data: claim }),
    () => ({ type: 'claim.refused', data: { ...claim, reason: 'in use' } }),
    () => ({ type: 'gap.noticed', data: { reason: 'lost', group: pick([null, group]) } }),
    () => ({ type: 'snapshot.taken', data: reading }),
    () => ({ type: 'group.found', data: { group: pick([group ?? '1', '9']) } }),
    () => ({ type: 'process.found', data: { pid, comm: pick(['qemu', 'dpdk']), cgroup: '/vm' } }),
    () => refused(pid as number, group ?? '1', device, draw),
  ])();
}

/** A refusal that the rules may or may not explain. */
function refused(pid: number, group: string, device: string, draw: Draw): Loose {
  const errno = ['EBUSY', 'EPERM', 'EINVAL', 'ENODEV'][Math.floor(draw() * 4)];
  const call: Data[] = [
    { operation: 'open_group', pid, group, cloexec: true },
    { operation: 'open_cdev', pid, device, cloexec: true },
    { operation: 'bind', pid, fd: 5, iommufd: null },
    { operation: 'set_container', pid, fd: 6, container: null },
    { operation: 'get_device', pid, fd: 6, device: null },
  ];
  return {
    type: 'operation.refused',
    data: { ...call[Math.floor(draw() * call.length)], errno },
  };
}
