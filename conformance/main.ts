/**
 * `npm run conformance`: asks a real kernel what the machines are asked, and compares the answers.
 *
 * @module
 */
import { closeSync, existsSync, mkdirSync, openSync, realpathSync, renameSync } from 'node:fs';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { openLedger } from '../ledger.ts';
import { progressOn } from '../cli/progress.ts';
import type { Guest } from './guest.ts';
import { hostNamed } from './host.ts';
import {
  optionsFrom,
  usage,
  type Options,
  type RecorderRequest,
  type RepeatRequest,
} from './options.ts';
import { sequencesIn } from './questions.ts';
import { boot } from './reboots.ts';
import { checkRecorder } from './recorder/check.ts';
import { missingToRecord } from './recorder/requirements.ts';
import { toBeRecorded } from './recorder/sequence.ts';
import { repeatRecordings } from './repeat.ts';
import { writeReport } from './report.ts';
import { missing, type Requirement } from './requirements.ts';
import { longLivedPlan, plan } from './sequences/plan.ts';
import { logPath, summaryLines, summaryOf } from './summary.ts';
import { trial, type TrialOutcome } from './trial.ts';

const exit = { agree: 0, differ: 1, badRequest: 2, surroundings: 4 } as const;
/** Asked where all that was found stays long: every kind of situation that there is a way to. */
const FURTHER = 4000;

const progress = progressOn(process.stderr);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function run(options: Options): Promise<number> {
  const asked = options.scenario === null ? null : sequencesIn(options.scenario);
  const host = hostNamed(options.host);
  if (options.record !== null) tryRecording(options.record);
  if (isLacking(missing([options.profile]))) return exit.surroundings;
  const isVerbose = options.record !== null;
  const guest = await boot(options.profile, host, { onProgress: progress.tell, isVerbose });
  try {
    const { topology } = guest;
    const planned = options.isLongLived ? longLivedPlan : plan;
    const sequences = asked ?? planned(topology, options.profile, options);
    const started = performance.now();
    const further = () => plan(topology, options.profile, { ...options, operations: FURTHER });
    const outcome = await trial(sequences, further, guest, options.profile, progress.tell);
    const seconds = (performance.now() - started) / 1000;
    progress.clear();
    await keep(outcome, guest, options);
    if (options.json) say(JSON.stringify(summaryOf(outcome, guest, options)));
    else for (const line of summaryLines(outcome, guest, options, seconds)) say(line);
    return outcome.disagreements === 0 ? exit.agree : exit.differ;
  } finally {
    await guest.close();
  }
}

/** Has the recorder shown in a guest what it sees. */
async function runRecorder({ scenario, ...request }: RecorderRequest): Promise<number> {
  const sequences = (scenario === null ? toBeRecorded : [scenario]).flatMap(sequencesIn);
  if (isLacking(missingToRecord(request.profiles))) return exit.surroundings;
  const isEqual = await checkRecorder({ ...request, sequences }, shown, progress.tell);
  progress.clear();
  return isEqual ? exit.agree : exit.differ;
}

/** Asks a part of the recordings again. */
async function runRepeat({ repeated, seed }: RepeatRequest): Promise<number> {
  if (isLacking(missing(repeated))) return exit.surroundings;
  let differing = 0;
  for (const profile of repeated) {
    differing += await repeatRecordings(profile, seed, shown, progress.tell);
  }
  progress.clear();
  return differing === 0 ? exit.agree : exit.differ;
}

function shown(text: string): void {
  progress.clear();
  say(text);
}

/** Says what is missing, where anything is. */
function isLacking(lacking: readonly Requirement[]): boolean {
  for (const { what, how } of lacking) {
    process.stderr.write(`missing: ${what}\n  ${how.replaceAll('\n', '\n  ')}\n`);
  }
  return lacking.length > 0;
}

/**
 * Where a recording is written first: beside its place, so that an earlier one stays whole until
 * there is a new one. Null for what is no file but can be written to, such as a pipe.
 */
function recordingPaths(path: string): { place: string; fresh: string | null } {
  if (!existsSync(path)) return { place: path, fresh: `${path}.${process.pid}` };
  if (!statSync(path).isFile()) return { place: path, fresh: null };
  const place = realpathSync(path);
  return { place, fresh: `${place}.${process.pid}` };
}

/** Throws where a recording could not be written after the run; leaves everything as it is. */
function tryRecording(path: string): void {
  try {
    const { place, fresh } = recordingPaths(path);
    if (existsSync(place)) closeSync(openSync(place, 'r+'));
    if (fresh === null) return;
    closeSync(openSync(fresh, 'w'));
    rmSync(fresh);
  } catch (error) {
    const [reason] = (error as Error).message.split(', open');
    throw new Error(`--record ${path}: ${reason}`, { cause: error });
  }
}

function writeRecording(path: string, content: string | Buffer): void {
  const { place, fresh } = recordingPaths(path);
  if (fresh === null) return writeFileSync(place, content);
  try {
    writeFileSync(fresh, content);
    renameSync(fresh, place);
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** Keeps the answers where that was asked for, and each disagreement as a log. */
async function keep(outcome: TrialOutcome, guest: Guest, options: Options): Promise<void> {
  const { profile, record, found } = options;
  if (record !== null) {
    const text = `${[guest.topologyLine, ...outcome.lines].join('\n')}\n`;
    writeRecording(record, record.endsWith('.gz') ? gzipSync(text, { level: 9 }) : text);
  }
  if (outcome.shrunk.length > 0) mkdirSync(found, { recursive: true });
  for (const [index, { answers }] of outcome.shrunk.entries()) {
    if (answers.length === 0) continue;
    const path = logPath(options, index);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true });
    const ledger = await openLedger(path);
    const lines = [guest.topologyLine, ...answers.map(({ line }) => line)];
    await ledger.import(lines.join('\n'), { format: 'truth', profile });
    await ledger.close();
  }
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = optionsFrom(args);
    if (options === 'help') say(usage);
    else if (options === 'report') writeReport();
    else if ('mode' in options) return await runRecorder(options);
    else if ('repeated' in options) return await runRepeat(options);
    else return await run(options);
    return exit.agree;
  } catch (error) {
    progress.clear();
    const { name, message, code } = error as Error & { code?: string };
    process.stderr.write(`conformance: ${message}\n`);
    const isOurs = /^(UsageError|RequestError|HostError)$/.test(name);
    return isOurs || code?.startsWith('ERR_PARSE_ARGS') ? exit.badRequest : exit.surroundings;
  }
}

process.exitCode = await main(process.argv.slice(2));
