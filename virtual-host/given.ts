/**
 * `given(scenario).when(operation).then(answer)`: the answer of a kernel to one operation, expected in
 * a test.
 *
 * @module
 */
import { objectGiven, stringGiven } from '../events/given.ts';
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import { nearestClause } from '../events/nearest.ts';
import type { Fact } from '../events/vocabulary.ts';
import { ScenarioHost, type HostAnswer } from '../host/scenario-host.ts';
import { parseScenario, type Sequence } from '../host/simulation.ts';
import { hostGiven, type SimulateSettings } from '../ledger/settings.ts';
import { storyOf } from '../ledger/story.ts';
import type { WhatIf } from '../ledger/what-if.ts';
import type { Profile } from '../machines/profile.ts';
import { parseLine, type OperationStatement } from '../scenario/language.ts';
import type { Topology } from '../scenario/topology.ts';
import { absentIn, type AbsentSubject } from '../scenario/topology-words.ts';
import { subjectAt, titleWords } from '../words/failures.ts';
import { expectedAnswer, gotAnswer } from '../words/unexpected-answer.ts';
import { whyWords } from '../words/why.ts';
import { CalledLedger } from './called-ledger.ts';

/** The keys of an answer that a test expects. The errno of an operation that passes is null. */
export interface ExpectedAnswer extends Pick<
  HostAnswer,
  'cause' | 'driver' | 'pending' | 'viable' | 'container_set'
> {
  readonly errno?: string | null;
}

/** The scenario before the operation that is tested. */
export interface GivenScenario {
  /**
   * Plays the scenario and then one operation, such as `@P2 bind B I`. Throws `bad-request` if it
   * cannot be read, and `unsupported` if the kernel dies of it or has died before.
   */
  when(operation: string): PlayedOperation;
}

/** An operation that was played after a scenario. */
export interface PlayedOperation {
  /** As `simulate` answers it. */
  readonly answer: HostAnswer;
  /** All events of the scenario and of the operation. */
  readonly ledger: WhatIf;
  /**
   * Throws an error that explains the answer unless each key that is given is as expected. Throws
   * `bad-request` for keys that no answer has, and for a function: it is no promise.
   */
  then(expected: ExpectedAnswer): void;
}

/**
 * A scenario that is played before each operation that is tested; refusals in it are answers, too.
 * Throws `bad-request` for a line that cannot be read or asks for a device or group that the topology
 * does not have, and for a wrong topology or profile.
 */
export function given(scenario: string, settings: SimulateSettings): GivenScenario {
  stringGiven('given', 'a scenario as a string', scenario);
  const begin = hostGiven('given', settings);
  const { topology } = begin;
  const sequences = parseScenario(scenario, { topology, absent });
  return { when: (operation) => play(begin, sequences, operationIn(operation, topology)) };
}

function operationIn(line: string, topology: Topology): OperationStatement {
  const statement = parseLine(stringGiven('when', 'an operation as a string', line));
  if (statement?.kind !== 'operation') {
    throw new RequestError(`when takes one operation, not '${line}'`);
  }
  for (const subject of absentIn(statement, topology)) absent(subject);
  return statement;
}

/** No program computes the addresses of a scenario: in a test, one that no device has is a slip. */
function absent({ message }: AbsentSubject): never {
  throw new RequestError(message);
}

interface Begin {
  readonly topology: Topology;
  readonly profile: Profile;
}

function play(
  { topology, profile }: Begin,
  sequences: readonly Sequence[],
  statement: OperationStatement,
): PlayedOperation {
  const host = new ScenarioHost(topology, profile);
  const facts: Fact[] = [];
  if (sequences.length === 0) facts.push(...host.boot('-'));
  for (const { name, operations } of sequences) {
    facts.push(...host.boot(name));
    for (const operation of operations) facts.push(...host.play(operation).facts);
  }
  const played = host.play(statement);
  facts.push(...played.facts);
  const { answer } = played;
  if (answer.dead === true) {
    throw new LedgerError('unsupported', `the kernel has died at or before '${statement.text}'`);
  }
  let ledger: WhatIf | null = null;
  const madeLedger = (): WhatIf => (ledger ??= new CalledLedger(facts));
  const asked: PlayedOperation = {
    answer,
    get ledger() {
      return madeLedger();
    },
    // oxlint-disable-next-line unicorn/no-thenable -- It throws if it is given a function.
    then: (expected) => check(statement, answer, expected, madeLedger),
  };
  return asked;
}

const keys = ['errno', 'cause', 'driver', 'pending', 'viable', 'container_set'] as const;

function check(
  { process, text }: OperationStatement,
  answer: HostAnswer,
  expected: ExpectedAnswer,
  ledger: () => WhatIf,
): void {
  if (typeof expected === 'function') {
    throw new RequestError('then takes the expected answer: what given() returns is no promise');
  }
  const asked = Object.keys(objectGiven('then', 'the expected answer as an object', expected));
  const wrong = asked.find((key) => !keys.some((known) => known === key));
  if (wrong !== undefined) {
    throw new RequestError(`no answer has the key '${wrong}'${nearestClause(wrong, keys)}`);
  }
  if (asked.length === 0) throw new RequestError('then takes at least one key of the answer');
  const found = { ...answer, errno: answer.errno ?? null };
  if (keys.every((key) => !asked.includes(key) || found[key] === expected[key])) return;
  const past = ledger();
  const last = past.length - 1;
  const caller = answer.p === process ? `@${process} ` : '';
  const isRefusal = answer.errno !== undefined;
  const told = {
    title: titleWords('then', false, subjectAt(`${caller}${text}`, last, null)),
    expected: expectedAnswer(expected),
    reason: null,
    got: [gotAnswer(found, expected)],
    facts: isRefusal ? whyWords(past.why(last), past) : [],
    remedy: [],
  };
  throw new Error(storyOf(told, { past, matters: last, subject: null, ask: () => [] }));
}
