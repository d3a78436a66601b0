/**
 * The report of `run` for a continuous integration: JUnit XML, and the lines that GitHub Actions shows
 * beside a job.
 *
 * @module
 */
import type { HeldFile, RefusedCall } from '../projections/activity.ts';
import type { Holder } from '../projections/shapes.ts';
import { fileWords, refusedPlace } from './leaks.ts';
import { holdersWords } from './owners.ts';
import { printable } from './printable.ts';

/** A group or a device that was held before a command was started. */
export interface TakenFile {
  readonly group: string | null;
  /** Null for the file of a group. */
  readonly device: string | null;
  /** Its node, such as `/dev/vfio/26`; null if it is not known. */
  readonly path: string | null;
  readonly holders: readonly Holder[];
}

/** What a command did, as far as a job is told. */
interface Job {
  readonly command: readonly string[];
  /** Null if it was not started. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  readonly before: readonly TakenFile[];
  readonly held: readonly HeldFile[];
  readonly refused: readonly RefusedCall[];
}

/** `group 26, /dev/vfio/26: held by qemu[4711] fd 9 before the command was started`. */
export function takenWords({ group, device, path, holders }: TakenFile): string {
  const what = refusedPlace({ group, device, path });
  return `${what}: held by ${holdersWords(holders)} before the command was started`;
}

/** `device 0000:3b:00.0 (group 26): still held by vmm[101] fd 4`. */
function heldWords(held: HeldFile): string {
  return `${fileWords(held)}: still held by ${holdersWords([held])}`;
}

function refusalWords(call: RefusedCall): string {
  const { operation, errno, cause, summary } = call;
  const place = refusedPlace(call);
  const of = place === '' ? '' : ` of ${place}`;
  return `${operation}${of} was refused: ${errno ?? 'errno not shown'}, ${cause} (${summary})`;
}

/** Lines that GitHub Actions shows as errors: what was held before, and what is still held. */
export function actionLines({ before, held, refused }: Job): string[] {
  const isWrong = before.length + held.length > 0;
  return [
    ...before.map(takenWords),
    ...held.map(heldWords),
    ...(isWrong ? refused.map(refusalWords) : []),
  ].map((text) => `::error title=vfio-ledger run::${printable(text).replaceAll('%', '%25')}`);
}

/** A JUnit report of three test cases: the host before the command, the command, and after it. */
export function junitText(job: Job): string {
  const { command, exit, before, held, refused } = job;
  const ended = exit === null ? 'it was not started' : endWords(exit);
  const cases = [
    caseText('no VFIO file is held before', before.map(takenWords)),
    caseText(command.join(' '), exit?.code === 0 ? [] : [ended, ...refused.map(refusalWords)]),
    caseText('every VFIO file is released', held.map(heldWords)),
  ];
  const failures = cases.filter((text) => text.includes('<failure')).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="vfio-ledger run" tests="${cases.length}" failures="${failures}">`,
    ...cases,
    '</testsuite>\n',
  ].join('\n');
}

function endWords({ code, signal }: NonNullable<Job['exit']>): string {
  return signal === null ? `it ended with exit code ${code}` : `it was killed by ${signal}`;
}

function caseText(name: string, faults: readonly string[]): string {
  const open = `  <testcase classname="vfio-ledger" name="${xml(name)}"`;
  const [first] = faults;
  if (first === undefined) return `${open}/>`;
  const text = faults.map(xml).join('\n');
  return `${open}>\n    <failure message="${xml(first)}">${text}</failure>\n  </testcase>`;
}

/** Text in XML; what XML cannot hold is printed as in a terminal. */
function xml(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
