/**
 * Arbitraries of model-based runs: a host, and the commands that are run on it.
 *
 * `fc.commands` beside a host shrinks worse: it leaves out what did not run, but after the host has
 * shrunk it still asks the commands of an earlier run.
 *
 * @module
 */
import fc from 'fast-check';
import { arrayGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';
import { VirtualHost } from '../virtual-host/virtual-host.ts';
import { integerIn } from './constraints.ts';
import { toldCounterexample } from './counterexample.ts';
import { settingsFor, type HostConstraints, type HostSettings } from './host-settings.ts';
import { shrunk, type DrawnStep, type DrawnSteps } from './shrinking.ts';

/** Which runs are drawn. */
export interface RunConstraints extends HostConstraints {
  /** At most this many commands; 30 by default. */
  readonly maxCommands?: number | undefined;
}

type AnyCommand<M extends object, R, P, A extends boolean> = fc.ICommand<M, R, P, A>;

/** A command that remembers whether it has run. */
class CountedCommand<M extends object, R, P, A extends boolean> implements fc.ICommand<M, R, P, A> {
  readonly #command: AnyCommand<M, R, P, A>;
  hasRun = false;

  constructor(command: AnyCommand<M, R, P, A>) {
    this.#command = command;
  }

  check(model: Readonly<M>): ReturnType<AnyCommand<M, R, P, A>['check']> {
    return this.#command.check(model);
  }

  run(model: M, real: R): P {
    this.hasRun = true;
    return this.#command.run(model, real);
  }

  toString(): string {
    return this.#command.toString();
  }
}

/** A fresh host, and commands for `fc.modelRun` or `fc.asyncModelRun`. Each run has its own. */
export class HostRun<M extends object, R, P = void, A extends boolean = false> {
  readonly host: VirtualHost;
  readonly commands: readonly fc.ICommand<M, R, P, A>[];
  readonly #counted: readonly CountedCommand<M, R, P, A>[];
  readonly #again: () => HostRun<M, R, P, A>;

  /** @internal */
  constructor(settings: HostSettings, commands: readonly AnyCommand<M, R, P, A>[]) {
    this.host = new VirtualHost(settings);
    this.#counted = commands.map((command) => new CountedCommand(fc.cloneIfNeeded(command)));
    this.commands = this.#counted;
    this.#again = () => new HostRun(settings, commands);
  }

  /** All calls that were made on the host, as `simulate` takes them. */
  toString(): string {
    return this.host.scenario();
  }

  /** @internal */
  [fc.cloneMethod](): HostRun<M, R, P, A> {
    return this.#again();
  }

  /** As fast-check prints a counterexample. */
  [fc.toStringMethod](): string {
    const ran = this.#counted.filter(({ hasRun }) => hasRun).map(String);
    return toldCounterexample(this.host, () => this.host.written(), ran);
  }
}

/** Draws a host, and a list of commands. */
export class RunArbitrary<M extends object, R, P, A extends boolean> extends fc.Arbitrary<
  HostRun<M, R, P, A>
> {
  readonly #settings: fc.Arbitrary<HostSettings>;
  readonly #commands: readonly fc.Arbitrary<AnyCommand<M, R, P, A>>[];
  readonly #most: number;

  constructor(
    commands: readonly fc.Arbitrary<AnyCommand<M, R, P, A>>[],
    constraints: RunConstraints,
  ) {
    super();
    this.#commands = arrayGiven('hostRuns', 'an array of arbitraries of commands', commands);
    if (commands.length === 0) throw new RequestError('hostRuns takes at least one command');
    this.#settings = settingsFor(constraints);
    this.#most = integerIn('maxCommands', constraints.maxCommands ?? 30, 0, 10_000);
  }

  override generate(random: fc.Random, bias: number | undefined): fc.Value<HostRun<M, R, P, A>> {
    const settings = this.#settings.generate(random, bias);
    const count = random.nextInt(0, this.#most);
    const steps = Array.from({ length: count }, (): DrawnStep<AnyCommand<M, R, P, A>> => {
      const arbitrary = this.#commands[random.nextInt(0, this.#commands.length - 1)] ?? null;
      if (arbitrary === null) throw new RangeError('there are no commands');
      return { value: arbitrary.generate(random, undefined), arbitrary };
    });
    return valueOf({ settings, steps });
  }

  override canShrinkWithoutContext(_value: unknown): _value is HostRun<M, R, P, A> {
    return false;
  }

  override shrink(
    _value: HostRun<M, R, P, A>,
    context?: unknown,
  ): fc.Stream<fc.Value<HostRun<M, R, P, A>>> {
    if (context === undefined) return fc.Stream.nil();
    const drawn = context as DrawnSteps<AnyCommand<M, R, P, A>>;
    return new fc.Stream(shrunk(drawn, this.#settings)).map(valueOf);
  }
}

function valueOf<M extends object, R, P, A extends boolean>(
  drawn: DrawnSteps<AnyCommand<M, R, P, A>>,
): fc.Value<HostRun<M, R, P, A>> {
  const commands = drawn.steps.map(({ value }) => value.value_);
  return new fc.Value(new HostRun(drawn.settings.value_, commands), drawn);
}
