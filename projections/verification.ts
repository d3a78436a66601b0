/**
 * Whether a log holds together: what happened against the rules, and the table that replay runs on
 * against XState itself.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import type { EventType, Placed } from '../events/vocabulary.ts';
import { callOf } from '../operations/table.ts';
import { LiveHost } from '../machines/live-host.ts';
import { kernelRules } from '../machines/machines.ts';
import type { Fault, Interval, Owner } from './shapes.ts';
import { nobody, ownerOf, unknownOwner } from './views.ts';
import { Watch } from './violations.ts';
import { causeDisputed, SeenReleases } from './witnessed.ts';
import { START } from './when.ts';

interface OwnerChange {
  readonly position: number;
  readonly owner: Owner;
}

/** Goes through a log event by event and collects what does not agree. */
export class Verifier {
  readonly faults: Fault[] = [];
  readonly #host: LiveHost;
  readonly #watch = new Watch();
  readonly #releases = new SeenReleases();
  /** Of each group the changes of its owner, as the machines have had them. */
  readonly #changes = new Map<string, OwnerChange[]>();
  readonly #before: Owner;
  readonly #found = new Set<string>();
  #position = -1;
  #type: EventType | null = null;

  /** `isKnown` is false where the events before the first are not here. */
  constructor({ isKnown = true }: { readonly isKnown?: boolean } = {}) {
    this.#host = new LiveHost({ isKnown });
    this.#before = isKnown ? nobody : unknownOwner;
    this.#host.observe((name, before, event, after) => {
      const { table } = kernelRules(this.#host.profile, { engine: 'xstate' }).machines[name];
      const record = before.record as object;
      const state = table.next(before.state, record, event);
      if (state === after.state && isEqual(table.record(record, event), after.record)) return;
      const goes = state === null ? 'does not admit it' : `goes to '${state}'`;
      this.#fault('table', `${name}: XState ${goes}, the table to '${after.state}'`);
    });
  }

  take(event: Placed): void {
    this.#position = event.position;
    this.#type = event.type;
    const host = this.#host;
    // Nobody can say what would have been right on a host that nothing is known of.
    if (!host.isKnown && event.type !== 'host.booted') return;
    if (event.type === 'operation.refused') {
      const { operation, errno } = event.data;
      const { cause } = host.explain(event.data);
      // Of what nobody knows anything nobody can say that it is wrong.
      const isLost = host.isAssumed && !host.knowsAll(event.data);
      if (cause === 'unknown' && !isLost) {
        const ours = host.judge(event.data);
        const verdict = ours === null ? 'it would pass' : `${ours.errno}, ${ours.cause}`;
        this.#fault('rules', `${operation} got ${errno}; by ${host.profile} ${verdict}`);
      }
    } else {
      const call = callOf(event)?.call;
      const refusal = call === undefined ? null : host.objection(call);
      if (call !== undefined && refusal !== null) {
        const { errno, cause } = refusal;
        this.#fault('rules', `${call.operation} passed; by ${host.profile} ${errno}, ${cause}`);
      }
    }
    const disputed = causeDisputed(event, host);
    if (disputed !== null) this.#fault('evidence', disputed);
    const before = host.contradictions.length;
    host.take(event);
    for (const { position, detail } of this.#releases.take(event, host)) {
      this.faults.push({ position, kind: 'evidence', detail });
    }
    for (const { detail } of host.contradictions.slice(before)) this.#fault('rules', detail);
    for (const { invariant, detail } of this.#watch.take(event, host)) {
      this.#fault('invariant', `${invariant}: ${detail}`);
    }
    this.#noteOwners();
  }

  /** Compares the intervals of a projection with what the machines went through. */
  compare(intervalsOf: (group: string) => readonly Interval[]): void {
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
        this.#position = Math.min(change?.position ?? Infinity, from ?? Infinity);
        this.#fault('projection', `the table and the machines differ on who owns group ${group}`);
        break;
      }
    }
  }

  #noteOwners(): void {
    const names = new Set(this.#changes.keys());
    for (const { group } of this.#host.groups()) names.add(group);
    for (const name of names) {
      const known = this.#changes.get(name);
      const changes = known ?? [];
      this.#changes.set(name, changes);
      // What is found has been there before.
      if (known === undefined && this.#type === 'group.found') this.#found.add(name);
      const group = this.#host.group(name);
      const owner = group === undefined ? nobody : ownerOf(this.#host, group);
      const before = this.#found.has(name) ? unknownOwner : this.#before;
      if (isSame(changes.at(-1)?.owner ?? before, owner)) continue;
      changes.push({ position: this.#position, owner });
    }
  }

  #fault(kind: Fault['kind'], detail: string): void {
    this.faults.push({ position: this.#position, kind, detail });
  }
}

function isSame(one: Owner | undefined, other: Owner): boolean {
  return one?.kind === other.kind && one.file === other.file;
}

/** Memories of machines: plain records, and a map of an iommufd's objects. */
function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a, plain) === JSON.stringify(b, plain);
}

function plain(_key: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value;
}

/**
 * Whether a log still has the head that a witness kept; `hashAt` knows its hashes from `first` on.
 * Throws `RequestError` where the head is not `POSITION:HASH`.
 */
export function witnessFaults(
  head: string,
  first: number,
  hashAt: (position: number) => string | undefined,
): Fault[] {
  const [, position, hash] = /^(-1|\d+):([\da-f]{64})$/.exec(head) ?? [];
  if (position === undefined) throw new RequestError(`'${head}' is no POSITION:HASH`);
  const at = Number(position);
  const there = hashAt(at);
  if (there === hash) return [];
  const isGone = at < first ? 'that part of the log is not here' : 'the log ends before it';
  const what = there === undefined ? isGone : 'another hash';
  return [{ position: at, kind: 'head', detail: `not the head that was kept: ${what}` }];
}

/** What the log says of events that are not here; a fault where it says nothing. */
export function absence(
  events: Iterable<Placed>,
  missing: { readonly position: number; readonly hash: string },
): { readonly faults: Fault[]; readonly notes: string[] } {
  const { position, hash } = missing;
  if (position === START) return { faults: [], notes: [] };
  const what = `positions 0 to ${position} are not here`;
  const said = [...events].findLast(
    ({ type, data }) =>
      (type === 'history.archived' || type === 'history.removed') &&
      'to' in data &&
      (data.to > position || ('hash' in data && data.hash === hash)),
  );
  if (said === undefined) {
    const detail = `${what}, and nothing says that they were archived or removed`;
    return { faults: [{ position, kind: 'absent', detail }], notes: [] };
  }
  const [, deed] = said.type.split('.');
  return { faults: [], notes: [`${what}: they were ${deed}, says position ${said.position}`] };
}
