/**
 * A sequence as it is being made up: what has been played so far, and the names that stand for
 * something in each process.
 *
 * @module
 */
import { ScenarioHost, type HostAnswer } from '../../host/scenario-host.ts';
import type { Profile } from '../../machines/profile.ts';
import type { OperationStatement, ProcessName } from '../../scenario/language.ts';
import type { Topology } from '../../scenario/topology.ts';
import { operation } from './alphabet.ts';

/** What a name may stand for: a device's file, an iommufd, a group's file, a container, ids, mappings. */
export type Kind = 'device' | 'iommufd' | 'group' | 'container' | 'ioas' | 'hwpt' | 'mapping';

const letters: Readonly<Record<Kind, string>> = {
  device: 'D',
  iommufd: 'I',
  group: 'G',
  container: 'C',
  ioas: 'X',
  hwpt: 'H',
  mapping: 'M',
};

type KindByName = Map<string, Kind>;

export class SequenceDraft {
  readonly host: ScenarioHost;
  readonly statements: OperationStatement[] = [];
  readonly #names = new Map<ProcessName, KindByName>();
  #next = 0;
  /** Whether the host has iommufd at all. */
  readonly hasIommufd: boolean;

  constructor(topology: Topology, profile: Profile) {
    this.hasIommufd = topology.iommufd;
    this.host = new ScenarioHost(topology, profile);
    this.host.boot('draft');
    this.#names.set('P1', new Map());
  }

  /** Whether a driver change waits, or has not been collected. */
  get isChangePending(): boolean {
    return this.host.live.driverChange !== null;
  }

  get processes(): ProcessName[] {
    return [...this.#names.keys()];
  }

  /** A process that is not there; null where all eight are. */
  get absent(): ProcessName | null {
    const all = Array.from({ length: 8 }, (_, index): ProcessName => `P${index + 1}`);
    return all.find((name) => !this.#names.has(name)) ?? null;
  }

  names(process: ProcessName, ...kinds: readonly Kind[]): string[] {
    const names = this.#names.get(process) ?? new Map<string, Kind>();
    return [...names].filter(([, kind]) => kinds.includes(kind)).map(([name]) => name);
  }

  /** A name that stands for nothing yet. */
  fresh(kind: Kind): string {
    return `${letters[kind]}${this.#next}`;
  }

  statement(process: ProcessName, line: string): OperationStatement {
    return operation(`@${process} ${line}`);
  }

  play(statement: OperationStatement): HostAnswer {
    this.statements.push(statement);
    this.#next++;
    const { answer } = this.host.play(statement);
    if (answer.rc === undefined || answer.rc >= 0) this.#note(statement);
    return answer;
  }

  #note({ process, operation: name, operands }: OperationStatement): void {
    const own = this.#names.get(process) ?? new Map<string, Kind>();
    this.#names.set(process, own);
    const [first = '', second = '', third = '', fourth = ''] = operands;
    const kindOf = (known: string): Kind => own.get(known) ?? 'device';
    switch (name) {
      case 'open_cdev':
      case 'get_device':
        return void own.set(first, 'device');
      case 'open_iommufd':
        return void own.set(first, 'iommufd');
      case 'open_group':
        return void own.set(first, 'group');
      case 'open_container':
        return void own.set(first, 'container');
      case 'alloc_ioas':
        return void own.set(second, 'ioas');
      case 'alloc_hwpt':
        return void own.set(fourth, 'hwpt');
      case 'mmap':
        return void own.set(first, 'mapping');
      case 'dup':
        return void own.set(first, kindOf(second));
      case 'close':
        return void own.delete(first);
      case 'send':
        this.#names.set(second as ProcessName, this.#names.get(second as ProcessName) ?? new Map());
        return void this.#names.get(second as ProcessName)?.set(third, kindOf(first));
      case 'fork':
        return void this.#names.set(first as ProcessName, new Map(own));
      case 'spawn':
        return void this.#names.set(first as ProcessName, new Map());
      case 'kill':
        return void this.#names.delete(first as ProcessName);
      case 'exit':
        return void this.#names.delete(process);
      default:
    }
  }
}
