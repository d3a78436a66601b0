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
import { unseenWords } from './recording.ts';
import { unreadWords } from './run.ts';

/** A group or a device that was held before a command was started. */
export interface TakenFile {
  readonly group: string | null;
  /** Null for the file of a group. */
  readonly device: string | null;
  /** Its node, such as `/dev/vfio/26`; null if it is not known. */
  readonly path: string | null;
  readonly holders: readonly Holder[];
}

/** What was held when the host was read before a command. */
export interface HeldBefore {
  readonly files: readonly TakenFile[];
  /** What could not be read, in sentences; empty if all processes were. */
  readonly unseen: readonly string[];
}

/** What a command did, as far as a job is told. */
interface Job {
  readonly command: readonly string[];
  /** Null if it was not started. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
  /** Null if it was not asked for. */
  readonly before: HeldBefore | null;
  readonly held: readonly HeldFile[];
  readonly refused: readonly RefusedCall[];
  /** Lines of the trace that could not be read. */
  readonly rejectedCount: number;
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
  const taken = before?.files ?? [];
  const isWrong = taken.length + held.length > 0;
  return [
    ...taken.map(takenWords),
    ...held.map(heldWords),
    ...(isWrong ? refused.map(refusalWords) : []),
  ].map((text) => `::error title=vfio-ledger run::${printable(text).replaceAll('%', '%25')}`);
}

/**
 * A JUnit report of up to three test cases: the host before the command, if that was asked for; the
 * command; and the host after it, if it was started.
 */
export function junitText(job: Job): string {
  const { command, exit, before, held, refused, rejectedCount } = job;
  const unread = rejectedCount === 0 ? [] : [unreadWords(rejectedCount)];
  const ended = exit === null ? 'it was not started' : endWords(exit);
  const cases = [
    ...(before === null
      ? []
      : [
          seenText(
            'no VFIO file is held before',
            before.files.map(takenWords),
            before.unseen.map(unseenWords),
          ),
        ]),
    caseText(command.join(' '), exit?.code === 0 ? [] : [ended, ...refused.map(refusalWords)]),
    ...(exit === null
      ? []
      : [seenText('every VFIO file is released', held.map(heldWords), unread)]),
  ];
  const count = (element: string) => cases.filter((text) => text.includes(element)).length;
  const [failures, skipped] = [count('<failure'), count('<skipped')];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="vfio-ledger run" tests="${cases.length}" failures="${failures}" skipped="${skipped}">`,
    ...cases,
    '</testsuite>\n',
  ].join('\n');
}

function endWords({ code, signal }: NonNullable<Job['exit']>): string {
  return signal === null ? `it ended with exit code ${code}` : `it was killed by ${signal}`;
}

/** A case without a fault counts as skipped if something could not be read. */
function seenText(name: string, faults: readonly string[], unread: readonly string[]): string {
  return faults.length === 0 && unread.length > 0
    ? caseOf(name, `<skipped message="${xml(unread.join('; '))}"/>`)
    : caseText(name, faults);
}

function caseText(name: string, faults: readonly string[]): string {
  const [first] = faults;
  if (first === undefined) return caseOf(name, null);
  const text = faults.map(xml).join('\n');
  return caseOf(name, `<failure message="${xml(first)}">${text}</failure>`);
}

function caseOf(name: string, outcome: string | null): string {
  const open = `  <testcase classname="vfio-ledger" name="${xml(name)}"`;
  return outcome === null ? `${open}/>` : `${open}>\n    ${outcome}\n  </testcase>`;
}

/** Text in XML; what XML cannot hold is printed as in a terminal. */
function xml(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
