import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openLedger, type Claimant, type Exit, type Holder } from '../../ledger.ts';
import type { HostAt } from '../../machines/host-at.ts';
import { effectOf } from '../../processes/effects.ts';
import { ownersOf } from '../../projections/history.ts';
import { HostAtMoment } from '../../projections/moment.ts';
import { groupAt } from '../../projections/parties-at.ts';
import { partiesOf } from '../../projections/parties.ts';
import { Timeline } from '../../projections/timeline.ts';
import { walk } from '../../projections/walk.ts';
import { countOf } from '../support/effort.ts';
import { likely } from '../support/random-evidence.ts';
import { anyLog, type Log } from '../support/random-logs.ts';
import { unseenCalls, unseenHost } from '../support/unseen-hosts.ts';
import { subjectsIn } from './index/ways.ts';

const RUNS = countOf('logs asked for exits and claims', { test: 15, soak: 60, full: 1500 });
const logs: fc.Arbitrary<Log> = fc.oneof(
  anyLog,
  unseenHost,
  unseenCalls,
  likely as fc.Arbitrary<Log>,
);
const whole = fc.constantFrom(3, 7, 64, 100_000);

function timelineOf(log: Log, size: number): Timeline {
  const timeline = new Timeline({ whole: size });
  for (const event of log) timeline.take(event);
  return timeline;
}

function wordOf(kind: string, id: string): string {
  return kind === 'process' ? `pid:${id}` : kind === 'file' ? `file:${id}` : id;
}

test('the descriptor of a process has no number where the evidence shows none', async () => {
  const ledger = await openLedger(':memory:');
  await ledger.append(-1, [
    { id: 'a', time: null, type: 'group.found', data: { group: '1' } },
    {
      id: 'b',
      time: null,
      type: 'group.opened',
      data: { pid: 7, fd: -1, group: '1', cloexec: false },
    },
  ]);
  await ledger.refresh();
  const { holders, lineage } = ledger.who('pid:7');
  expect(holders).toMatchObject([{ pid: 7, fd: null, file: 'f1' }]);
  expect(lineage).toMatchObject([{ pid: 7, fd: null, chain: [{ position: 1 }] }]);
});

test('says since when: where the interval of its history begins', () => {
  let known = 0;
  fc.assert(
    fc.property(logs, whole, (log, size) => {
      const timeline = timelineOf(log, size);
      for (const key of subjectsIn(log).keys()) {
        const [kind, id] = [key.split(' ')[0] ?? '', key.slice(key.indexOf(' ') + 1)];
        const intervals = ownersOf(timeline, { kind: kind as 'group', id });
        for (const { position } of log.filter((_, index) => index % 5 === 0)) {
          const moment = new HostAtMoment(timeline, position);
          const { since, owner } = moment.who(wordOf(kind, id));
          // A device that evidence finds later was in its group before.
          const subject = { kind: kind as 'group', id, position };
          const group = groupAt(timeline, timeline.hostAt(position), subject);
          const own = group === null ? intervals : ownersOf(timeline, { kind: 'group', id: group });
          const { from = null } = own.findLast((each) => (each.from ?? -1) <= position) ?? {};
          const isOfGroup = group !== null;
          expect(since, `${key} at ${position}`).toBe(
            owner.kind === 'none' && !isOfGroup ? null : from,
          );
          if (since !== null) known++;
        }
      }
    }),
    { numRuns: RUNS },
  );
  expect(known).toBeGreaterThan(0);
});

describe('of a process that has ended', () => {
  test('says when and how, and what it had held last', async () => {
    const topology = {
      kernel: '7.3.4',
      iommufd: true,
      devices: [{ name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' }],
    };
    const ledger = await openLedger(':memory:');
    await ledger.simulate(
      'open_iommufd I\nopen_cdev A gpu\nbind A I\nclose I\nclose A\n@P2 open_iommufd J\n@P1 exit\nkill P2\n',
      { topology, profile: 'linux-7.3' },
    );
    const closed = ledger.events.findLastIndex(({ type }) => type === 'descriptor.closed');
    const [exited, killed] = ledger.events.filter(({ type }) => type === 'process.exited');
    expect(ledger.who('pid:101').exited).toEqual({
      position: exited?.position,
      time: null,
      by: 'process.exited',
      signal: null,
      held: [expect.objectContaining({ pid: 101, fd: 4 })],
      heldUntil: closed,
      heldUntilTime: null,
    });
    expect(ledger.who('pid:102').exited).toMatchObject({
      position: killed?.position,
      signal: 'SIGKILL',
      held: [{ pid: 102, fd: 3 }],
      heldUntil: killed?.position,
    });
    expect(ledger.who('pid:101', { at: closed })).not.toHaveProperty('exited');
  });

  test('agrees with what was seen at every position', () => {
    let ends = 0;
    fc.assert(
      fc.property(logs, whole, (log, size) => {
        const timeline = timelineOf(log, size);
        const pids = [...subjectsIn(log).keys()].flatMap(
          (key) => /^process (\d+)$/.exec(key)?.[1] ?? [],
        );
        const lives = pids.map(
          (pid) => new Life(pid, subjectsIn(log).get(`process ${Number(pid)}`) ?? []),
        );
        for (const { event, host } of walk(timeline)) {
          for (const life of lives) {
            life.look(event, host);
            if (life.first > event.position) continue;
            const { exited = null } = new HostAtMoment(timeline, event.position).who(
              `pid:${life.pid}`,
            );
            expect(exited, `pid ${life.pid} at ${event.position}`).toEqual(life.exit);
            if (exited !== null && exited.held.length > 0) ends++;
          }
        }
      }),
      { numRuns: RUNS },
    );
    expect(ends).toBeGreaterThan(0);
  });
});

/** What is seen of a pid from position to position. */
class Life {
  readonly pid: string;
  readonly first: number;
  exit: Exit | null = null;
  readonly #concerns: ReadonlySet<number>;
  #isThere = false;
  #held: readonly Holder[] = [];
  #until: Pick<Log[number], 'position' | 'time'> | null = null;

  constructor(pid: string, positions: readonly number[]) {
    this.pid = pid;
    this.first = positions[0] ?? Infinity;
    this.#concerns = new Set(positions);
  }

  look({ position, type, data, time }: Log[number], host: HostAt): void {
    const isReplaced = String(effectOf(type).replaces?.(data)) === this.pid;
    const { holders } = partiesOf(host, { kind: 'process', id: this.pid });
    const isThere = host.process(Number(this.pid)) !== undefined;
    const isExit = type === 'process.exited' && isReplaced;
    if (this.#held.length > 0 && holders.length === 0) this.#until ??= { position, time };
    if (isExit || (type === 'host.booted' && this.#isThere)) {
      const by = isExit ? 'process.exited' : 'host.booted';
      const until = this.#held.length === 0 ? null : this.#until;
      this.exit = {
        position,
        time,
        by: by as 'host.booted',
        signal: isExit ? data.signal : null,
        held: this.#held,
        heldUntil: until?.position ?? null,
        heldUntilTime: until?.time ?? null,
      };
    } else if (this.#concerns.has(position) || isThere) this.exit = null;
    if (isReplaced || type === 'host.booted') [this.#held, this.#until] = [[], null];
    if (holders.length > 0) [this.#held, this.#until] = [holders, null];
    this.#isThere = isThere;
  }
}

test('has the claimants that managers have named and not released, as the table and histories do', () => {
  let claims = 0;
  fc.assert(
    fc.property(fc.oneof(unseenHost, unseenCalls), whole, (log, size) => {
      const timeline = timelineOf(log, size);
      const inForce = new Map<string, Claimant>();
      const groupThen = new Map<Claimant, string | null>();
      for (const { event, host } of walk(timeline)) {
        const { position, time, type, data } = event;
        if (type === 'host.booted') inForce.clear();
        if (type === 'claim.granted' || type === 'claim.released') {
          const { device, claimant, uuid, manager } = data;
          const key = `${device} ${claimant}`;
          const claim = { device, claimant, uuid, manager, since: position, sinceTime: time };
          if (type === 'claim.released') inForce.delete(key);
          else if (!inForce.has(key)) {
            inForce.set(key, claim);
            groupThen.set(claim, host.device(device ?? '')?.group ?? null);
          }
        }
        const moment = new HostAtMoment(timeline, position);
        const table = moment.table();
        const all = [...inForce.values()];
        claims += all.length;
        for (const { device, group } of host.devices()) {
          const own = all.filter((claim) => claim.device === device);
          expect(moment.who(device).claimants).toEqual(own);
          expect(table.devices.find((view) => view.device === device)?.claimants).toEqual(own);
          if (group === null) continue;
          const beside = all.filter((claim) => {
            const there = claim.device === null ? undefined : host.device(claim.device);
            return (there === undefined ? groupThen.get(claim) : there.group) === group;
          });
          expect(moment.who(`g${group}`).claimants).toEqual(beside);
          expect(table.groups.find((view) => view.group === group)?.claimants).toEqual(beside);
        }
      }
    }),
    { numRuns: RUNS },
  );
  expect(claims).toBeGreaterThan(0);
});
