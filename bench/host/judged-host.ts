/**
 * A host whose kernel is the judge: calls in, events out, each refusal with the errno that the
 * rules give. So a history that is made on it is right by construction.
 *
 * @module
 */
import type { Call, Fact, LedgerEvent } from '../../events/vocabulary.ts';
import type { Question } from '../../machines/check.ts';
import type { Device, Group } from '../../machines/instances.ts';
import { pageTableIn } from '../../machines/iommufd.ts';
import { judge } from '../../machines/judge.ts';
import { Kernel } from '../../machines/kernel.ts';
import type { Passed } from '../../operations/row.ts';
import { factOf } from '../../operations/table.ts';
import { pluggedIn } from './hardware.ts';
import type { Random } from './random.ts';

/** 2 January 2026, in seconds. */
const BEGIN = Date.UTC(2026, 0, 2) / 1000;
const SECOND = 1_000_000;
/** Of this many events one comes after a silence, not within a burst. */
const BURST = 20;

const FIRST_PID = 400;
/** `pid_max` of a host with 64 bits. */
const PIDS = 2 ** 22;
/** Where the kernel puts mappings of a process, about. */
const MAPPED = 0x7f00_0000_0000;
const PAGE = 4096;

/** What a process does, call by call; between them others have their turn. */
export type Work = Generator<undefined, void, undefined>;

export class JudgedHost {
  readonly kernel = new Kernel();
  readonly random: Random;
  /** What has happened since somebody took it away. */
  readonly events: LedgerEvent[] = [];
  #position = 0;
  #second = BEGIN;
  #micros = 0;
  #stamp = stampOf(BEGIN);
  #pid = FIRST_PID;
  #mapped = MAPPED;
  #boots = 0;

  constructor(random: Random) {
    this.random = random;
  }

  boot(): void {
    const boot = `boot-${++this.#boots}`;
    const how = { kernel: '7.3.4', profile: 'linux-7.3', iommufd: true, simulated: true };
    this.#pass(this.random.between(60 * SECOND, 300 * SECOND));
    this.#pid = FIRST_PID;
    this.happened({ type: 'host.booted', data: { boot, ...how } });
    for (const data of pluggedIn()) this.happened({ type: 'device.added', data });
  }

  happened(fact: Fact): void {
    const { random } = this;
    this.#pass(
      random.below(BURST) > 0 ? random.between(5, 900) : random.between(1000, 60 * SECOND),
    );
    const time = `${this.#stamp}${String(this.#micros).padStart(6, '0')}Z`;
    this.events.push({ id: random.id(), time, ...fact } as LedgerEvent);
    this.kernel.take({ ...fact, position: this.#position++ });
  }

  /**
   * Makes a call, and gives the descriptor, the id or the address that it hands out, else 0; null
   * where it is refused.
   */
  call(call: Call): number | null {
    const question = this.kernel.question(call);
    const refusal = judge(this.kernel.rules, question);
    if (refusal === null) return this.#succeed(call, question);
    this.happened({ type: 'operation.refused', data: { ...call, errno: refusal.errno } });
    return null;
  }

  /** As `call`, but where it would be refused nobody tries. */
  callIfAdmitted(call: Call): number | null {
    const question = this.kernel.question(call);
    if (judge(this.kernel.rules, question) !== null) return null;
    return this.#succeed(call, question);
  }

  /** Makes a call that nothing can have against it, unasked: of a descriptor known to be open. */
  surely(call: Call): number {
    return this.#succeed(call, null);
  }

  start(comm: string, cgroup: string | null): number {
    const pid = this.#nextPid();
    this.happened({ type: 'process.started', data: { pid, comm, cgroup } });
    return pid;
  }

  fork(pid: number, comm: string): number {
    const child = this.#nextPid();
    this.happened({ type: 'process.forked', data: { pid, child, comm } });
    return child;
  }

  /** The devices of a group that are on a VFIO driver, by address. */
  vfioDevices(group: string): Device[] {
    const devices = [...(this.kernel.group(group)?.devices.values() ?? [])];
    return devices.filter(({ state }) => state !== 'absent');
  }

  /** Whether nobody owns the group or has a file of it open. */
  isFree(group: string): boolean {
    const found = this.kernel.group(group);
    return found !== undefined && found.state === 'unowned' && isClosed(found);
  }

  #succeed(call: Call, question: Question | null): number {
    const outcome = this.#outcome(call, question);
    const fact = factOf(call, outcome);
    if (fact !== null) this.happened(fact);
    return outcome.id ?? outcome.rc;
  }

  #outcome(call: Call, question: Question | null): Passed {
    const { processes } = this.kernel;
    switch (call.operation) {
      case 'open_cdev':
      case 'open_iommufd':
      case 'open_container':
      case 'open_group':
      case 'get_device':
      case 'dup':
        return { errno: null, rc: processes.lowestFree(call.pid) };
      case 'send':
        return { errno: null, rc: processes.lowestFree(call.to) };
      case 'mmap':
        this.#mapped += PAGE;
        return { errno: null, rc: 0, id: this.#mapped };
      case 'set_driver':
        return { errno: null, rc: 0, cdev: this.kernel.nextCdev(call.driver ?? '') };
      default: {
        const told = question?.events.iommufd;
        const id = told !== undefined && 'id' in told ? told.id : undefined;
        return { errno: null, rc: 0, id, hwpt: pageTableIn(told) };
      }
    }
  }

  #nextPid(): number {
    do this.#pid = this.#pid + 1 < PIDS ? this.#pid + 1 : FIRST_PID;
    while (this.kernel.processes.process(this.#pid) !== undefined);
    return this.#pid;
  }

  /** Lets so many microseconds go by. */
  #pass(micros: number): void {
    this.#micros += micros;
    if (this.#micros < SECOND) return;
    this.#second += Math.floor(this.#micros / SECOND);
    this.#micros %= SECOND;
    this.#stamp = stampOf(this.#second);
  }
}

function isClosed({ record, devices }: Group): boolean {
  if (record.opener !== null) return false;
  for (const device of devices.values()) if (device.record.files > 0) return false;
  return true;
}

/** The beginning of a time, up to the fraction. */
function stampOf(second: number): string {
  return `${new Date(second * 1000).toISOString().slice(0, 19)}.`;
}
