/**
 * The histories that README shows pictures of.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCHEMA, type LedgerEvent } from '../../events/vocabulary.ts';
import { openLedger, type Ledger } from '../../ledger.ts';
import { drawFrom } from '../support/draw.ts';

const examples = join(import.meta.dirname, '../../examples');

/** A bind that was refused on a real kernel, because another process had the device open. */
export async function incident(): Promise<Ledger> {
  return imported('incident.truth.jsonl');
}

/** A test that did not release its device, and the one after it that was refused. */
export async function leak(): Promise<Ledger> {
  return imported('second-test.strace');
}

async function imported(name: string): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.importSources([{ name, chunks: [readFileSync(join(examples, name), 'utf8')] }]);
  return ledger;
}

const GROUPS = 40;
const DAY_MS = 24 * 60 * 60 * 1000;
const MIDNIGHT = Date.UTC(2026, 10, 30);
const NAMES = ['web', 'db', 'train', 'render', 'ci'] as const;

/** A day of a host with 40 groups, whose guests come and go, wait for each other, and are refused. */
export async function busyDay(): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.append(-1, [...dayOf(drawFrom(40))]);
  await ledger.refresh();
  return ledger;
}

interface Guest {
  readonly pid: number;
  readonly group: number;
  readonly end: number;
}

function* dayOf(draw: () => number): Generator<LedgerEvent> {
  let [count, pid] = [0, 4000];
  const event = (ms: number, type: LedgerEvent['type'], data: object): LedgerEvent => {
    const time = `${new Date(MIDNIGHT + ms).toISOString().slice(0, -1)}000Z`;
    return { id: `day-${count++}`, time, schema: SCHEMA, type, data } as LedgerEvent;
  };
  const boot = { boot: 'day', kernel: '6.12.0', profile: null, iommufd: true, simulated: false };
  yield event(0, 'host.booted', boot);
  for (let group = 0; group < GROUPS; group++) {
    yield event(0, 'device.added', {
      device: addressOf(group),
      name: null,
      group: String(group),
      driver: 'vfio-pci',
      model: null,
      cdev: `vfio${group}`,
    });
  }
  const guests: Guest[] = [];
  for (let now = 60_000; now < DAY_MS; now += Math.floor(draw() * 400_000)) {
    for (const guest of guests.filter(({ end }) => end <= now)) {
      guests.splice(guests.indexOf(guest), 1);
      yield event(guest.end, 'process.exited', { pid: guest.pid, signal: null });
    }
    const group = Math.floor(draw() * draw() * GROUPS);
    const [comm, own] = [`qemu-${NAMES[group % NAMES.length]}`, ++pid];
    const owner = guests.find((guest) => guest.group === group);
    yield event(now, 'process.started', { pid: own, comm, cgroup: '/machine.slice' });
    yield event(now, 'iommufd.opened', { pid: own, fd: 3, cloexec: true });
    const device = addressOf(group);
    yield event(now + 1, 'device.opened', { pid: own, fd: 4, device, cloexec: true });
    const bind = { pid: own, fd: 4, iommufd: 3 };
    if (owner === undefined) {
      yield event(now + 2, 'device.bound', { ...bind, id: 1 });
      const end = now + 300_000 + Math.floor(draw() * draw() * DAY_MS * 0.6);
      guests.push({ pid: own, group, end });
      guests.sort((one, other) => one.end - other.end);
    } else {
      const refused = { operation: 'bind', ...bind, errno: 'EINVAL' };
      yield event(now + 2, 'operation.refused', refused);
      yield event(now + 3, 'process.exited', { pid: own, signal: null });
    }
  }
}

function addressOf(group: number): string {
  return `0000:${(group + 16).toString(16).padStart(2, '0')}:00.0`;
}
