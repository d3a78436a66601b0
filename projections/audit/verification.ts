/**
 * `verify`: compares the events of a log with the rules, and at each event the tables of the
 * machines with XState itself.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { callOf } from '../../operations/table.ts';
import type { MachineName } from '../../machines/admission.ts';
import type { Machine } from '../../machines/flat-machine.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { isSameMemory, XStateSteps } from '../../machines/xstate-steps.ts';
import type { Finding } from '../findings.ts';
import { findsGroup } from '../found-groups.ts';
import type { OwnerInterval } from '../interval-shapes.ts';
import type { Owner } from '../shapes.ts';
import { nobody, ownerWithoutHolders, unknownOwner } from '../views.ts';
import { Watch } from './violations.ts';
import { causeDisputed, SeenReleases } from './witnessed.ts';
import { START } from '../when.ts';

interface OwnerChange {
  readonly position: number;
  readonly owner: Owner;
}

/** What plays the events: `host` is the host after the last one that `take` was given. */
export interface EventPlayer {
  readonly host: LiveHost;
  /** As long as `host` is unknown, no event but a boot changes it. */
  take(event: Placed): void;
}

/** Plays a log event by event, and collects findings. */
export class Verifier {
  readonly findings: Finding[] = [];
  readonly #player: EventPlayer;
  readonly #watch = new Watch();
  readonly #releases = new SeenReleases();
  readonly #steps = new Map<Machine, XStateSteps>();
  /** For each group: the changes of its owner in the machines. */
  readonly #changes = new Map<string, OwnerChange[]>();
  readonly #before: Owner;
  readonly #found = new Set<string>();
  #position = -1;
  /** Whether the event finds the groups of which it is the first to tell. */
  #finds = false;

  constructor(player: EventPlayer = playerOf(new LiveHost())) {
    this.#player = player;
    this.#before = player.host.isKnown ? nobody : unknownOwner;
    player.host.observe((name, before, event, after) => {
      const { state: xstate, record } = this.#stepsOf(name).after(before, event);
      if (xstate === after.state && isSameMemory(record, after.record)) return;
      const position = this.#position;
      this.findings.push({ kind: 'table', position, machine: name, xstate, table: after.state });
    });
  }

  take(event: Placed): void {
    const { position } = event;
    this.#position = position;
    const { host } = this.#player;
    this.#finds = findsGroup(event, !host.isAssumed);
    // An unknown host cannot contradict the rules.
    if (!host.isKnown && event.type !== 'host.booted') return this.#player.take(event);
    if (event.type === 'operation.refused') {
      const { operation, errno } = event.data;
      const { cause } = host.explain(event.data);
      // What a program concluded is no answer of the kernel.
      if (errno !== null && cause === 'unknown' && host.canContradict(event.data)) {
        const { profile } = host;
        const ours = host.judge(event.data);
        const expected = ours === null ? null : { errno: ours.errno, cause: ours.cause };
        this.findings.push({ kind: 'unexplained', position, operation, errno, profile, expected });
      }
    } else {
      const call = callOf(event)?.call;
      const refusal = call === undefined ? null : host.objection(call);
      if (call !== undefined && refusal !== null) {
        const { operation } = call;
        const { errno, cause } = refusal;
        const { profile } = host;
        this.findings.push({ kind: 'passed', position, operation, profile, errno, cause });
      }
    }
    const disputed = causeDisputed(event, host);
    if (disputed !== null) this.findings.push(disputed);
    const before = host.contradictions.length;
    this.#player.take(event);
    this.findings.push(...this.#releases.take(event, host));
    for (const { reason } of host.contradictions.slice(before)) {
      this.findings.push({ kind: 'contradiction', position, reason });
    }
    for (const violation of this.#watch.take(event, host)) {
      this.findings.push({ kind: 'invariant', ...violation });
    }
    this.#noteOwners();
  }

  /** Compares the intervals of ownership from the time index with the owners in the machines. */
  compare(intervalsOf: (group: string) => readonly OwnerInterval[]): void {
    for (const [group, changes] of this.#changes) {
      const intervals = intervalsOf(group).slice(1);
      const length = Math.max(changes.length, intervals.length);
      for (let index = 0; index < length; index++) {
        const change = changes[index];
        const interval = intervals[index];
        const from = interval?.from ?? null;
        if (
          change !== undefined &&
          from === change.position &&
          isSame(interval?.owner, change.owner)
        ) {
          continue;
        }
        const position = Math.min(change?.position ?? Infinity, from ?? Infinity);
        this.findings.push({ kind: 'projection', position, group });
        break;
      }
    }
  }

  #stepsOf(name: MachineName): XStateSteps {
    const machine = this.#player.host.rules.machines[name];
    let steps = this.#steps.get(machine);
    if (steps === undefined) {
      steps = new XStateSteps(machine);
      this.#steps.set(machine, steps);
    }
    return steps;
  }

  #noteOwners(): void {
    const { host } = this.#player;
    for (const name of host.touched.groups) {
      const known = this.#changes.get(name);
      const changes = known ?? [];
      this.#changes.set(name, changes);
      // A group that is found existed before, with an unknown owner.
      if (known === undefined && this.#finds) this.#found.add(name);
      const group = host.group(name);
      const owner = group === undefined ? nobody : ownerWithoutHolders(group);
      const before = this.#found.has(name) ? unknownOwner : this.#before;
      if (isSame(changes.at(-1)?.owner ?? before, owner)) continue;
      changes.push({ position: this.#position, owner });
    }
  }
}

/** Plays events on a host alone. `isKnown` is false if older events were removed. */
export function playerOf(host: LiveHost): EventPlayer {
  return {
    host,
    take: (event) => {
      if (host.isKnown || event.type === 'host.booted') host.take(event);
    },
  };
}

function isSame(one: Owner | undefined, other: Owner): boolean {
  return one?.kind === other.kind && one.file === other.file;
}

/** Missing events at the beginning of a log. */
export interface Absence {
  /** The last missing position. */
  readonly to: number;
  /** The event that records that they were archived or removed; null if none does. */
  readonly saidBy: Placed | null;
}

/** The missing events up to and with the head `position`; null if no event is missing. */
export function absenceOf(
  events: Iterable<Placed>,
  { position, hash }: { readonly position: number; readonly hash: string },
): Absence | null {
  if (position === START) return null;
  const inOrder = [...events].toSorted((a, b) => a.position - b.position);
  const saidBy = inOrder.findLast(
    ({ type, data }) =>
      (type === 'history.archived' || type === 'history.removed') &&
      'to' in data &&
      (data.to > position || ('hash' in data && data.hash === hash)),
  );
  return { to: position, saidBy: saidBy ?? null };
}
