/**
 * Sentences about what processes did with VFIO files, and which files they did not release.
 *
 * @module
 */
import type { Activity, FileOf, OpenedFile, RefusedCall } from '../projections/activity.ts';
import type { Coverage } from '../projections/coverage.ts';
import { titled, type Line } from './columns.ts';
import { noneWords } from './coverage.ts';
import { holderRows, ownerWords, processWords } from './owners.ts';

/** What some processes did between two moments, as far as it is printed. */
export interface ShownActivity extends Pick<
  Activity,
  'opened' | 'bound' | 'refused' | 'held' | 'owned'
> {
  readonly coverage: Coverage;
}

/** Prints rows under a title. A face may shorten a long list. */
export type List = (title: string, rows: readonly (readonly string[])[]) => Line[];

/** Lines: what was opened, bound and refused, and what is held and owned at the end. */
export function spanWords(
  { opened, bound, refused, held, owned, coverage }: ShownActivity,
  list: List = titled,
): Line[] {
  const isQuiet = opened.length === 0 && refused.length === 0;
  return [
    ...(isQuiet ? [noneWords(coverage, 'No VFIO file was opened.', QUIET)] : []),
    ...list(
      'Opened:',
      opened.map((file) => [
        momentOf(file),
        processWords(file.pid, file.comm),
        `fd ${file.fd ?? '?'}`,
        file.isSeen ? fileWords(file) : `${fileWords(file)}, which was open before`,
        releaseWords(file),
      ]),
    ),
    ...list(
      'Bound:',
      bound.map((file) => [
        momentOf(file),
        processWords(file.pid, file.comm),
        `fd ${file.fd ?? '?'}`,
        `${file.operation} of ${fileWords(file)}`,
      ]),
    ),
    ...list(
      'Refused:',
      refused.map(({ operation, errno, cause, summary, ...call }) => [
        momentOf(call),
        processWords(call.pid, call.comm),
        refusedPlace(call),
        `${operation}: ${errno ?? (cause === 'unknown' ? 'errno not shown' : 'concluded')}`,
        `${cause} (${summary})`,
      ]),
    ),
    ...list(
      'Still held:',
      held.map((holder) => [...(holderRows([holder])[0] ?? []).slice(0, 2), fileWords(holder)]),
    ),
    ...owned.map(({ group, owner }) => `Group ${group} is still owned by ${ownerWords(owner)}.`),
  ];
}

const QUIET = 'no VFIO file was seen to be opened';
const RELEASED = 'no file that was opened is known to be still held';

/** A line if everything that was opened was released; else none. */
export function releasedWords({
  opened,
  held,
  coverage,
}: Pick<ShownActivity, 'opened' | 'held' | 'coverage'>): string[] {
  if (opened.length === 0 || held.length > 0) return [];
  return [noneWords(coverage, 'Everything was released.', RELEASED)];
}

function momentOf({ time, position }: Pick<OpenedFile, 'time' | 'position'>): string {
  return time ?? `position ${position}`;
}

/** A file by what it opens: `group 26`, `device 0000:3b:00.0 (group 26)`, `iommufd`. */
export function fileWords({ kind, device, group }: FileOf): string {
  if (kind === 'group') return `group ${group}`;
  if (kind !== 'device') return kind;
  const of = group === null ? '' : ` (group ${group})`;
  return device === null ? `a device${of}` : `device ${device}${of}`;
}

/** What a refused call was made on: `/dev/vfio/26, group 26`; empty if that is not known. */
export function refusedPlace({
  group,
  device,
  path,
}: Pick<RefusedCall, 'group' | 'device' | 'path'>): string {
  const named = [
    path,
    device === null ? null : `device ${device}`,
    group === null ? null : `group ${group}`,
  ];
  return named.filter((word) => word !== null).join(', ');
}

function releaseWords({ released }: OpenedFile): string {
  return released === null ? 'NOT RELEASED' : `released ${momentOf(released)}`;
}
