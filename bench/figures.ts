/**
 * All figures, in the order in which they are taken and reported.
 *
 * @module
 */
import { attest } from './attest.ts';
import { coldOpen } from './cold-open.ts';
import { concurrentAppends } from './concurrent-appends.ts';
import { evidenceMemory } from './evidence-memory.ts';
import type { Figure } from './figure.ts';
import { firstJudging } from './first-judging.ts';
import { indexBuilding } from './index-building.ts';
import { jetStream } from './jetstream.ts';
import { jetStreamHosts } from './jetstream-hosts.ts';
import { manyDevices } from './many-devices.ts';
import { chainOfForks, manyForks } from './many-forks.ts';
import { manyHosts } from './many-hosts.ts';
import { manyProcesses } from './many-processes.ts';
import { matchers } from './matchers.ts';
import { memory } from './memory.ts';
import { oneDevice } from './one-device.ts';
import { owners } from './owners.ts';
import { passedOver } from './passed-over.ts';
import { pointQuestions } from './point-questions.ts';
import { replay } from './replay.ts';
import { simulatedOperations } from './simulated-operations.ts';
import { singleAppends } from './single-appends.ts';
import { start } from './start.ts';
import { straceImport } from './strace-import.ts';
import { straceToIndex } from './strace-to-index.ts';
import { tableWidth } from './table-width.ts';
import { verification } from './verification.ts';
import { virtualHostCalls } from './virtual-host.ts';
import { worstRefusals } from './worst-refusals.ts';

/** A figure with the name of its file and its title in the report. */
interface NamedFigure {
  readonly name: string;
  readonly title: string;
  readonly figure: Figure;
}

export const figures: readonly NamedFigure[] = [
  { name: 'point-questions', title: 'Answers about one moment', figure: pointQuestions },
  { name: 'worst-refusals', title: 'why, by operation', figure: worstRefusals },
  { name: 'owners', title: 'Owners', figure: owners },
  { name: 'attest', title: 'What is proved of tenants', figure: attest },
  { name: 'table-width', title: 'The table of a wide host', figure: tableWidth },
  { name: 'start', title: 'Start of the command line', figure: start },
  { name: 'matchers', title: 'Matchers of tests', figure: matchers },
  { name: 'cold-open', title: 'Opening a log', figure: coldOpen },
  { name: 'memory', title: 'Memory', figure: memory },
  { name: 'index-building', title: 'Building the index', figure: indexBuilding },
  { name: 'verification', title: 'verify', figure: verification },
  { name: 'first-judging', title: 'Judging', figure: firstJudging },
  { name: 'simulated-operations', title: 'Simulating', figure: simulatedOperations },
  { name: 'virtual-host', title: 'Calls on a virtual host', figure: virtualHostCalls },
  { name: 'replay', title: 'Replay', figure: replay },
  { name: 'single-appends', title: 'Appending, one at a time', figure: singleAppends },
  { name: 'concurrent-appends', title: 'Appending, many at once', figure: concurrentAppends },
  { name: 'jetstream', title: 'A log on JetStream', figure: jetStream },
  { name: 'jetstream-hosts', title: 'Many hosts on JetStream', figure: jetStreamHosts },
  { name: 'strace-import', title: 'Reading strace', figure: straceImport },
  { name: 'passed-over', title: 'Passing over what says nothing', figure: passedOver },
  { name: 'strace-to-index', title: 'From strace to answers', figure: straceToIndex },
  { name: 'evidence-memory', title: 'Evidence larger than memory', figure: evidenceMemory },
  { name: 'many-hosts', title: 'Many hosts in one log', figure: manyHosts },
  { name: 'many-processes', title: 'Many living processes', figure: manyProcesses },
  { name: 'many-devices', title: 'Many devices', figure: manyDevices },
  { name: 'many-forks', title: 'why behind many forks', figure: manyForks },
  { name: 'chain-of-forks', title: 'why behind a chain of forks', figure: chainOfForks },
  { name: 'one-device', title: 'Many events of one device', figure: oneDevice },
];
