/**
 * A busy host on which two tenants own a group by turns, and questions about them.
 *
 * @module
 */
import type { Fact, LedgerEvent } from '../events/vocabulary.ts';
import type { AttestQuestion } from '../ledger.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { hostHistory } from './host.ts';
import { HOST } from './logs.ts';
import type { OpenedLog } from './opened.ts';
import { elapsed } from './questions.ts';

/** Intervals of each tenant, in a log that is long enough. */
const TURNS = 1000;
/** Events of the host for each of them, at least. */
const ROOM = 20;
/** Events in an append. */
const BATCH = 20_000;

const DEVICE = '0000:fe:00.0';
const GROUP = '900';
/** Less than any pid of the other processes. */
const PIDS = [300, 301] as const;
const [IOMMUFD, FD] = [3, 4];
const [ONE, OTHER] = ['cgroup:/tenants.slice/0', 'cgroup:/tenants.slice/1'] as const;

/** In the order in which they are asked. */
export const attestations: readonly (readonly [AttestQuestion, string, string])[] = [
  ['never-shared', ONE, OTHER],
  ['never-owned', GROUP, ONE],
  ['sole-owner', GROUP, ONE],
];

/** Writes a log of so many events. */
export async function writeTwoTenants(path: string, events: number): Promise<void> {
  const store = openSqliteStore(path);
  let { position } = await store.head(HOST);
  let batch: LedgerEvent[] = [];
  const append = async () => {
    ({ position } = (await store.append(HOST, position, batch)).head);
    batch = [];
  };
  for (const event of twoTenants(events)) {
    batch.push(event);
    if (batch.length === BATCH) await append();
  }
  await append();
  await store.close();
}

function* twoTenants(events: number): Generator<LedgerEvent> {
  const turn = Math.max(Math.floor(events / (2 * TURNS)), ROOM);
  let [given, own, at] = [0, 0, 0];
  let owner: number | null = null;
  for (const event of hostHistory(events)) {
    if (given++ >= events) return;
    yield event;
    const facts: Fact[] = [];
    if (event.type === 'host.booted') {
      owner = null;
      facts.push(...arrival);
    } else if (given % turn === 0) {
      if (owner !== null) facts.push(...released(owner));
      owner = PIDS[at++ % PIDS.length] ?? PIDS[0];
      facts.push(...taken(owner));
    }
    for (const fact of facts) {
      if (given++ >= events) return;
      yield { ...fact, id: `own-${own++}`, time: event.time };
    }
  }
}

const arrival: readonly Fact[] = [
  {
    type: 'device.added',
    data: {
      device: DEVICE,
      name: null,
      group: GROUP,
      driver: 'vfio-pci',
      model: null,
      cdev: 'vfio900',
    },
  },
  ...PIDS.map((pid, index): Fact => ({
    type: 'process.started',
    data: { pid, comm: `tenant-${index}`, cgroup: `/tenants.slice/${index}` },
  })),
];

function taken(pid: number): Fact[] {
  return [
    { type: 'iommufd.opened', data: { pid, fd: IOMMUFD, cloexec: true } },
    { type: 'device.opened', data: { pid, fd: FD, device: DEVICE, cloexec: true } },
    { type: 'device.bound', data: { pid, fd: FD, iommufd: IOMMUFD, id: 1 } },
  ];
}

function released(pid: number): Fact[] {
  return [FD, IOMMUFD].map((fd) => ({ type: 'descriptor.closed', data: { pid, fd } }));
}

/** Asks each question so many times, by turns; gives what each took, in ms. */
export function askAttestations(log: OpenedLog, count: number): number[] {
  return Array.from({ length: count }, () =>
    attestations.map((asked) => elapsed(() => log.attest(...asked))),
  ).flat();
}
