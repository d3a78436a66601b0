/**
 * What `run` tells of a command, in words.
 *
 * @module
 */
import { columns, indented } from './columns.ts';
import { holderRows, ownerWords, processWords } from './owners.ts';
import { printable } from './printable.ts';
import type { RunReport } from './run-report.ts';

/** Of very many the first. */
const MOST_SHOWN = 50;

type Moment = Pick<RunReport['opened'][number], 'time' | 'position'>;
type File = Pick<RunReport['opened'][number], 'kind' | 'device' | 'group'>;

export function runWords(report: RunReport): string[] {
  const { command, exit, log, opened, bound, refused, held, owned, left } = report;
  const how =
    exit.signal === null ? `ended with exit code ${exit.code}` : `was killed by ${exit.signal}`;
  const isQuiet = opened.length === 0 && refused.length === 0;
  return [
    `vfio-ledger: ${command.map(argument).join(' ')} ${how}`,
    ...(isQuiet ? ['Nothing of VFIO was opened.'] : []),
    ...section(
      'Opened:',
      opened.map((file) => [
        momentOf(file),
        processWords(file.pid, file.comm),
        `fd ${file.fd ?? '?'}`,
        file.isSeen ? fileWords(file) : `${fileWords(file)}, which was open before`,
        endWords(file),
      ]),
    ),
    ...section(
      'Bound:',
      bound.map((file) => [
        momentOf(file),
        processWords(file.pid, file.comm),
        `fd ${file.fd ?? '?'}`,
        `${file.operation} of ${fileWords(file)}`,
      ]),
    ),
    ...section(
      'Refused:',
      refused.map(({ operation, errno, cause, summary, ...call }) => [
        momentOf(call),
        processWords(call.pid, call.comm),
        `${operation}: ${errno}`,
        `${cause} (${printable(summary)})`,
      ]),
    ),
    ...section(
      'Held still:',
      held.map((holder) => [...(holderRows([holder])[0] ?? []).slice(0, 2), fileWords(holder)]),
    ),
    ...owned.map(
      ({ group, owner }) => `Group ${group} is owned by it still: ${ownerWords(owner)}.`,
    ),
    ...section(
      'Left behind, and running:',
      left.map(({ pid, comm }) => [processWords(pid, comm)]),
    ),
    ...(opened.length > 0 && held.length === 0 ? ['All of it was released.'] : []),
    ...(report.rejectedCount === 0
      ? []
      : [`${report.rejectedCount} lines of the trace could not be read.`]),
    ...(log === null ? [] : [`Recorded in ${printable(log)}.`]),
  ];
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const more = rows.length - MOST_SHOWN;
  return [
    title,
    ...indented(columns(rows.slice(0, MOST_SHOWN), (text) => text)),
    ...(more > 0 ? [`  and ${more} more: --json has them`] : []),
  ];
}

function argument(text: string): string {
  return printable(/^[^\s"']+$/u.test(text) ? text : JSON.stringify(text));
}

function momentOf({ time, position }: Moment): string {
  return time ?? `position ${position}`;
}

function fileWords({ kind, device, group }: File): string {
  if (kind === 'group') return printable(`group ${group}`);
  if (kind !== 'device') return kind;
  const of = group === null ? '' : ` (group ${group})`;
  return printable(device === null ? `a device${of}` : `device ${device}${of}`);
}

function endWords({ released }: RunReport['opened'][number]): string {
  return released === null ? 'NOT RELEASED' : `released ${momentOf(released)}`;
}
