/**
 * `simulate`: plays scenarios on the machines; `--log` records them.
 *
 * @module
 */
import {
  parseScenario,
  simulate as play,
  type Sequence,
  type SimulatedAnswer,
  type SimulationStep,
} from '../host/simulation.ts';
import { profileFor, RequestError, type topologyFrom } from '../ledger.ts';

import type { Line } from '../words/columns.ts';
import { answerLines, StartedNames } from '../words/simulation.ts';
import { exit } from './failure.ts';
import { checkInputs, nameOf, readText } from './input.ts';
import { logOptions, recordIn } from './log-file.ts';
import { profileOption } from './profiles.ts';
import { showOperations } from './operations.ts';
import type { Progress } from './progress.ts';
import { readTopology } from './topology-file.ts';
import { verb, type Io } from './verb.ts';
import { sha256 } from '../log/hash.ts';

/** Seed and digest of event ids. They are needed even if no log keeps the events. */
const UNKEPT = { seed: '', digest: sha256 };

/** Prints the answer to each operation: to a terminal a sentence, else a JSON line. */
export const simulate = verb({
  name: 'simulate',
  usage: 'simulate --topology FILE [--profile P] [--log LOG] [SCENARIO|-]... | --operations',
  summary: "Plays scenarios on a simulated host and prints the kernel's answer to each operation",
  details: [
    'One line for each operation, in order: to a terminal a sentence, else JSON. A refusal is an answer',
    '(exit 0), and names its cause.',
    'Without SCENARIO, the scenario is read from standard input. All lines are read before the first is',
    'played: if one cannot be understood, nothing is played or recorded (exit 2). SCENARIOS.md in the',
    'package describes the language.',
  ],
  options: {
    topology: {
      type: 'string',
      value: 'FILE',
      help: 'the devices of the host (JSON), or a truth file; required',
    },
    profile: profileOption('default: that of the kernel in the topology'),
    log: {
      type: 'string',
      value: 'LOG',
      help: 'record the simulation: in a new log, or a log of simulations',
    },
    operations: {
      type: 'boolean',
      help: 'play nothing: list all operations with their operands (--json: one JSON value)',
    },
    host: logOptions.host,
    'no-index': logOptions['no-index'],
    json: { type: 'boolean', help: 'print JSON lines to a terminal, too' },
  },
  operands: [0, Infinity],
  examples: [
    'vfio-ledger simulate --topology examples/host.topology.json examples/two-contexts.scenario',
    "printf 'open_group G nvme\\nopen_group H nvme\\n' | " +
      'vfio-ledger simulate --profile linux-6.1 --topology examples/host.topology.json',
    'vfio-ledger simulate --operations',
  ],
  async answer({ values, operands }, io) {
    const { topology: file, profile: named, log } = values;
    if (values.operations === true) {
      if (operands.length > 0 || log !== undefined) {
        throw new RequestError('simulate: --operations lists the operations and plays none');
      }
      await showOperations(io, values.json);
      return exit.done;
    }
    const inputs = operands.length === 0 ? ['-'] : operands;
    checkInputs([...inputs, ...(file === undefined ? [] : [file])]);
    const topology = await readTopology(file, io.stdin);
    const profile = profileFor(named, topology);
    // All input is read before the log is created or an answer is printed.
    const sequences = await readScenarios(inputs, topology, io);
    const isText = io.out.isTerminal && values.json !== true;
    if (log === undefined) {
      await print(io, isText, play(sequences, topology, profile, UNKEPT));
      return exit.done;
    }
    await recordIn({ ...values, log }, io, async (ledger) => {
      const steps = ledger.simulateSteps(sequences, { topology, profile });
      await print(io, isText, counted(steps, io.progress), { toTheEnd: true });
    });
    return exit.done;
  },
});

/** A step with its answer, whose position is known if it is recorded. */
interface ShownStep extends Pick<SimulationStep, 'events'> {
  readonly answer: (SimulatedAnswer & { readonly position?: number }) | null;
}

/** Prints sentences for people, or else JSON lines. */
async function print(
  { out }: Io,
  isText: boolean,
  steps: Iterable<ShownStep> | AsyncIterable<ShownStep>,
  options: { readonly toTheEnd?: boolean } = {},
): Promise<void> {
  await (isText ? out.print(sentences(steps), options) : out.printJson(jsonLines(steps), options));
}

async function readScenarios(
  operands: readonly string[],
  topology: ReturnType<typeof topologyFrom>,
  io: Io,
) {
  const sequences: Sequence[] = [];
  for (const operand of operands) {
    const parsed = parseScenario(await readText(operand, io.stdin), {
      source: nameOf(operand),
      topology,
      absent: ({ message }, place) => io.say(`vfio-ledger: ${place}: ${message}`),
    });
    for (const sequence of parsed) sequences.push(sequence);
  }
  return sequences;
}

async function* sentences(
  steps: Iterable<ShownStep> | AsyncIterable<ShownStep>,
): AsyncGenerator<Line> {
  const names = new StartedNames();
  for await (const { answer, events } of steps) {
    for (const event of events) names.take(event);
    if (answer !== null) yield* answerLines(answer, events, names);
  }
}

async function* jsonLines(
  steps: Iterable<ShownStep> | AsyncIterable<ShownStep>,
): AsyncGenerator<string> {
  for await (const { answer } of steps) if (answer !== null) yield answerJson(answer);
}

async function* counted<T>(steps: AsyncIterable<T>, progress: Progress): AsyncGenerator<T> {
  let recorded = 0;
  for await (const step of steps) {
    progress.tell(`${++recorded} operations recorded`);
    yield step;
  }
}

/** An answer as one JSON object, with its keys in a fixed order. */
function answerJson(answer: NonNullable<ShownStep['answer']>): string {
  const { seq, n, p, op, rc, errno, cause, viable, container_set, driver, pending } = answer;
  const { dead, position } = answer;
  const state = { viable, container_set, driver, pending, dead, position };
  return JSON.stringify({ seq, n, p, op, rc, errno, cause, ...state });
}
