/**
 * Values that are drawn: scenarios, and hosts on which one was played. Both print as a scenario that
 * `simulate` plays, and are kept with their log when they are a counterexample.
 *
 * @module
 */
import fc from 'fast-check';
import type { Profile } from '../machines/profile.ts';
import type { Topology } from '../scenario/topology.ts';
import { VirtualHost } from '../virtual-host/virtual-host.ts';
import { toldCounterexample } from './counterexample.ts';
import { HostCommand } from './host-command.ts';
import type { HostSettings } from './host-settings.ts';

/** A scenario with the host that it is for. */
export class DrawnScenario {
  readonly topology: Topology;
  readonly profile: Profile;
  /** An operation each. */
  readonly lines: readonly string[];

  /** @internal */
  constructor({ topology, profile }: HostSettings, lines: readonly string[]) {
    this.topology = topology;
    this.profile = profile;
    this.lines = lines;
  }

  /** Its operations as commands for `fc.modelRun`. */
  get commands(): HostCommand[] {
    return this.lines.map((line) => new HostCommand(line));
  }

  /** A new host on which it was played. */
  host(): VirtualHost {
    return new DrawnHost(this);
  }

  /** As `simulate` takes it. */
  toString(): string {
    return this.lines.map((line) => `${line}\n`).join('');
  }

  /** As fast-check prints a counterexample. */
  [fc.toStringMethod](): string {
    return toldCounterexample(this, () => ({
      lines: this.lines,
      processes: [],
      unwritten: null,
    }));
  }
}

/** A virtual host that fast-check runs anew each time, and prints as the scenario of all its calls. */
class DrawnHost extends VirtualHost {
  readonly #played: DrawnScenario;

  constructor(played: DrawnScenario) {
    super(played);
    this.#played = played;
    this.play(played.toString());
  }

  [fc.cloneMethod](): DrawnHost {
    return new DrawnHost(this.#played);
  }

  override toString(): string {
    return this.scenario();
  }

  [fc.toStringMethod](): string {
    return toldCounterexample(this, () => this.written());
  }
}
