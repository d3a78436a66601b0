/**
 * Arbitraries of scenarios: sequences of operations, weighted by the machines.
 *
 * @module
 */
import fc from 'fast-check';
import { ScenarioHost } from '../host/scenario-host.ts';
import { parseLine, type OperationStatement } from '../scenario/language.ts';
import { hasSubjects } from '../scenario/topology-words.ts';
import { integerIn } from './constraints.ts';
import { REFUSED } from './host-command.ts';
import { settingsFor, type HostConstraints, type HostSettings } from './host-settings.ts';
import { weightedOperations, type OperationChoice, type WeightedOperation } from './operations.ts';
import { DrawnScenario } from './drawn-scenario.ts';
import { shrunk, type DrawnStep, type DrawnSteps } from './shrinking.ts';

/** Which scenarios are drawn. */
export interface ScenarioConstraints extends HostConstraints, OperationChoice {
  /** At most this many operations; 30 by default. */
  readonly maxOperations?: number | undefined;
  /** How many of a hundred operations the kernel is to refuse; 20 by default. */
  readonly refused?: number | undefined;
}

/** Each operation is tried so many times, with other words, before another one is. */
const TRIES = 6;

/**
 * Draws operations one after the other on a host that plays them. What the host admits is drawn more
 * often than what it refuses. A scenario shrinks as a list of lines: each shorter list can be played.
 */
export class ScenarioArbitrary extends fc.Arbitrary<DrawnScenario> {
  readonly #settings: fc.Arbitrary<HostSettings>;
  readonly #choice: OperationChoice;
  readonly #most: number;
  readonly #refused: number;

  constructor(constraints: ScenarioConstraints) {
    super();
    const { processes, only, maxOperations = 30, refused = REFUSED } = constraints;
    this.#settings = settingsFor(constraints);
    this.#choice = { processes, only };
    this.#most = integerIn('maxOperations', maxOperations, 0, 10_000);
    this.#refused = integerIn('refused', refused, 0, 100);
  }

  override generate(random: fc.Random, bias: number | undefined): fc.Value<DrawnScenario> {
    const settings = this.#settings.generate(random, bias);
    const { topology, profile } = settings.value_;
    const host = new ScenarioHost(topology, profile);
    host.boot('-');
    const choices = this.#operations(settings.value_);
    const steps: DrawnStep<string>[] = [];
    for (let left = random.nextInt(0, this.#most); left > 0 && !host.live.isDead; left--) {
      const line = draw(random, choices, host, random.nextInt(1, 100) > this.#refused);
      host.play(statementOf(line.value.value_));
      steps.push(line);
    }
    return valueOf({ settings, steps });
  }

  override canShrinkWithoutContext(value: unknown): value is DrawnScenario {
    return value instanceof DrawnScenario;
  }

  override shrink(value: DrawnScenario, context?: unknown): fc.Stream<fc.Value<DrawnScenario>> {
    const drawn = (context as DrawnSteps<string> | undefined) ?? undrawn(value);
    return new fc.Stream(shrunk(drawn, this.#settings)).map(valueOf);
  }

  #operations({ topology }: HostSettings): WeightedOperation[] {
    const devices = topology.devices.map(({ name }) => name);
    return weightedOperations({ ...this.#choice, devices });
  }
}

/** Draws an operation that passes, or one that is refused. If there is none, it draws the other. */
function draw(
  random: fc.Random,
  choices: readonly WeightedOperation[],
  host: ScenarioHost,
  passes: boolean,
): DrawnStep<string> {
  let other: DrawnStep<string> | null = null;
  const left = [...choices];
  while (left.length > 0) {
    const at = chosen(random, left);
    const arbitrary = left.splice(at, 1)[0]!.arbitrary;
    for (let tries = TRIES; tries > 0; tries--) {
      const value = arbitrary.generate(random, undefined);
      const refusal = host.live.judge(host.foresee(statementOf(value.value_)));
      // A name that stands for nothing is refused in every state, and shows no more than one of them.
      const isWanted = passes ? refusal === null : refusal !== null && refusal.errno !== 'EBADF';
      if (isWanted) return { value, arbitrary };
      if (other === null || refusal === null) other = { value, arbitrary };
    }
  }
  if (other === null) throw new RangeError('there are no operations');
  return other;
}

/** The index of a choice, by weight. */
function chosen(random: fc.Random, choices: readonly WeightedOperation[]): number {
  let left = random.nextInt(
    1,
    choices.reduce((sum, { weight }) => sum + weight, 0),
  );
  return choices.findIndex(({ weight }) => (left -= weight) <= 0);
}

function statementOf(line: string): OperationStatement {
  const statement = parseLine(line);
  if (statement?.kind === 'operation') return statement;
  throw new RangeError(`no operation: ${line}`);
}

/** A smaller host may lack devices that operations name: these are left out. */
function valueOf({ settings, steps }: DrawnSteps<string>): fc.Value<DrawnScenario> {
  const { topology } = settings.value_;
  const kept = steps.filter(({ value }) => hasSubjects(topology, statementOf(value.value_)));
  const lines = kept.map(({ value }) => value.value_);
  return new fc.Value(new DrawnScenario(settings.value_, lines), { settings, steps: kept });
}

/** A scenario that was given as an example, as if it was drawn. */
function undrawn({ topology, profile, lines }: DrawnScenario): DrawnSteps<string> {
  return {
    settings: new fc.Value({ topology, profile }, undefined),
    steps: lines.map((line) => ({ value: new fc.Value(line, undefined), arbitrary: null })),
  };
}
