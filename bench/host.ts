/**
 * Histories as long as one likes of a host that is busy: guests come and go, some through iommufd
 * and some through groups and containers; helpers are forked, devices plugged and lent to other
 * drivers, files forgotten; what is in use is tried and refused; now and then the host boots.
 *
 * The same seed gives the same events. However many there are, what is open at one time is bounded,
 * and so is what the generator keeps.
 *
 * @module
 */
import type { LedgerEvent } from '../events/vocabulary.ts';
import { runGuest } from './host/guest.ts';
import { JudgedHost, type Work } from './host/judged-host.ts';
import { runLegacyGuest } from './host/legacy-guest.ts';
import { leak, operate, probe } from './host/others.ts';
import { Random } from './host/random.ts';

/** Events between two boots, unless told otherwise. */
const UPTIME = 200_000;

/** How many of each there may be at a time, and how often one begins. */
const KINDS = {
  guest: { most: 7, weight: 30 },
  legacy: { most: 3, weight: 12 },
  probe: { most: 2, weight: 12 },
  leak: { most: 3, weight: 1 },
  operator: { most: 1, weight: 8 },
} as const;

type Kind = keyof typeof KINDS;
const DRAWN = (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
  Array.from({ length: KINDS[kind].weight }, () => kind),
);

/** Whoever is at work on the host, since it booted. */
class Uptime {
  readonly #host: JudgedHost;
  readonly #works: { readonly kind: Kind; readonly work: Work }[] = [];
  readonly #launcher: number;
  #guests = 0;

  constructor(host: JudgedHost) {
    this.#host = host;
    host.boot();
    this.#launcher = host.start('virtqemud', 'system.slice/virtqemud.service');
  }

  /** Somebody begins, or somebody's work goes on by a step; not every step is an event. */
  step(): void {
    const { random } = this.#host;
    if (random.chance(0.1)) this.#begin(random.pick(DRAWN));
    const turn = random.below(this.#works.length);
    const next = this.#works[turn];
    if (next?.work.next().done !== true) return;
    const last = this.#works.pop();
    if (last !== undefined && last !== next) this.#works[turn] = last;
  }

  #begin(kind: Kind): void {
    const there = this.#works.filter((work) => work.kind === kind).length;
    if (there < KINDS[kind].most) this.#works.push({ kind, work: this.#workOf(kind) });
  }

  #workOf(kind: Kind): Work {
    switch (kind) {
      case 'guest':
        return runGuest(this.#host, ++this.#guests, this.#launcher);
      case 'legacy':
        return runLegacyGuest(this.#host, ++this.#guests);
      case 'probe':
        return probe(this.#host, ++this.#guests);
      case 'leak':
        return leak(this.#host);
      case 'operator':
        return operate(this.#host);
    }
  }
}

/** The first so many events of the host that the seed stands for, with about `length` to a boot. */
export function* hostHistory(
  count: number,
  seed = 1,
  length = UPTIME,
): Generator<LedgerEvent, void, undefined> {
  const random = new Random(seed);
  const host = new JudgedHost(random);
  let uptime = new Uptime(host);
  let left = length;
  for (let given = 0; given < count;) {
    for (const event of host.events.splice(0)) {
      if (given++ === count) return;
      left--;
      yield event;
    }
    if (left <= 0) {
      uptime = new Uptime(host);
      left = random.between(length * 0.8, length * 1.2);
    } else {
      uptime.step();
    }
  }
}
