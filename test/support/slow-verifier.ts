/**
 * `Verifier` and `Watch`, slow and simple: after every event they judge all invariants of all groups
 * and note the owners of all groups, and XState makes every step.
 *
 * @module
 */
import type { Placed } from '../../events/vocabulary.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { kernelRules } from '../../machines/machines.ts';
import { callOf } from '../../operations/table.ts';
import {
  holdsFor,
  invariantNames,
  violationOf,
  type InvariantName,
} from '../../projections/audit/invariants.ts';
import type { FirstViolation } from '../../projections/audit/violations.ts';
import { findsGroup } from '../../projections/found-groups.ts';
import { causeDisputed, SeenReleases } from '../../projections/audit/witnessed.ts';
import type { Finding } from '../../projections/findings.ts';
import type { OwnerInterval } from '../../projections/interval-shapes.ts';
import type { Owner } from '../../projections/shapes.ts';
import { nobody, ownerOf, unknownOwner } from '../../projections/views.ts';
import { SweptClaims } from './swept-claims.ts';

/** `Watch`, of all groups after every event. */
export class SlowWatch {
  readonly #claims = new SweptClaims();
  readonly #violated = new Set<InvariantName>();

  take(event: Placed, host: LiveHost): FirstViolation[] {
    const claims = this.#claims;
    claims.take(event, host.touched);
    const found: FirstViolation[] = [];
    for (const invariant of invariantNames) {
      if (this.#violated.has(invariant) || !holdsFor(invariant, host.profile)) continue;
      for (const group of claims.groups()) {
        const violation = violationOf(invariant, { group, claims, host });
        if (violation === null) continue;
        found.push({ ...violation, position: event.position });
        this.#violated.add(invariant);
        break;
      }
    }
    return found;
  }
}

export class SlowVerifier {
  readonly findings: Finding[] = [];
  readonly #host: LiveHost;
  readonly #watch = new SlowWatch();
  readonly #releases = new SeenReleases();
  readonly #changes = new Map<string, { readonly position: number; readonly owner: Owner }[]>();
  readonly #before: Owner;
  readonly #found = new Set<string>();

  constructor({ isKnown = true }: { readonly isKnown?: boolean } = {}) {
    this.#host = new LiveHost({ isKnown });
    this.#before = isKnown ? nobody : unknownOwner;
    this.#host.observe((name, before, event, after) => {
      const { table } = kernelRules(this.#host.profile, { engine: 'xstate' }).machines[name];
      const record = before.record as object;
      const xstate = table.next(before.state, record, event);
      if (xstate === after.state && text(table.record(record, event)) === text(after.record))
        return;
      const { position } = LiveHost.machinesOf(this.#host);
      this.findings.push({ kind: 'table', position, machine: name, xstate, table: after.state });
    });
  }

  take(event: Placed): void {
    const host = this.#host;
    if (!host.isKnown && event.type !== 'host.booted') return;
    this.#judge(event);
    const before = host.contradictions.length;
    host.take(event);
    this.findings.push(...this.#releases.take(event, host));
    const { position } = event;
    for (const { reason } of host.contradictions.slice(before)) {
      this.findings.push({ kind: 'contradiction', position, reason });
    }
    for (const violation of this.#watch.take(event, host)) {
      this.findings.push({ kind: 'invariant', ...violation });
    }
    this.#noteOwners(event);
  }

  /** Compares the intervals of a projection with the owners that were noted. */
  compare(intervalsOf: (group: string) => readonly OwnerInterval[]): void {
    for (const [group, changes] of this.#changes) {
      const intervals = intervalsOf(group).slice(1);
      const length = Math.max(changes.length, intervals.length);
      for (let index = 0; index < length; index++) {
        const [change, interval] = [changes[index], intervals[index]];
        const from = interval?.from ?? null;
        const isSame = interval !== undefined && inShort(interval.owner) === inShort(change?.owner);
        if (from === change?.position && isSame) continue;
        const position = Math.min(change?.position ?? Infinity, from ?? Infinity);
        this.findings.push({ kind: 'projection', position, group });
        break;
      }
    }
  }

  #judge(event: Placed): void {
    const { position } = event;
    const { profile } = this.#host;
    if (event.type === 'operation.refused') {
      const { operation, errno } = event.data;
      const { cause } = this.#host.explain(event.data);
      if (errno !== null && cause === 'unknown' && this.#host.canContradict(event.data)) {
        const ours = this.#host.judge(event.data);
        const expected = ours === null ? null : { errno: ours.errno, cause: ours.cause };
        this.findings.push({ kind: 'unexplained', position, operation, errno, profile, expected });
      }
    } else {
      const call = callOf(event)?.call;
      const refusal = call === undefined ? null : this.#host.objection(call);
      if (call !== undefined && refusal !== null) {
        const { operation } = call;
        const { errno, cause } = refusal;
        this.findings.push({ kind: 'passed', position, operation, profile, errno, cause });
      }
    }
    const disputed = causeDisputed(event, this.#host);
    if (disputed !== null) this.findings.push(disputed);
  }

  /** Whether an event finds the groups of which it is the first to tell. */
  #finds(event: Placed): boolean {
    return findsGroup(event, !this.#host.isAssumed);
  }

  #noteOwners(event: Placed): void {
    const { position } = event;
    const names = new Set(this.#changes.keys());
    for (const { group } of this.#host.groups()) names.add(group);
    for (const name of names) {
      const known = this.#changes.get(name);
      const changes = known ?? [];
      this.#changes.set(name, changes);
      if (known === undefined && this.#finds(event)) this.#found.add(name);
      const group = this.#host.group(name);
      const owner = group === undefined ? nobody : ownerOf(this.#host, group);
      const before = this.#found.has(name) ? unknownOwner : this.#before;
      if (inShort(changes.at(-1)?.owner ?? before) === inShort(owner)) continue;
      changes.push({ position, owner });
    }
  }
}

function inShort(owner: Owner | undefined): string {
  return `${owner?.kind} ${owner?.file}`;
}

function text(memory: unknown): string {
  return JSON.stringify(memory, (_key, value: unknown) =>
    value instanceof Map ? [...value] : value,
  );
}
