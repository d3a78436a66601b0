/**
 * `snapshot`: reads the running host and appends what has changed since the last snapshot.
 *
 * @module
 */
import { unitOf } from '../evidence/reading/unit.ts';
import type { Ledger, SnapshotReport } from '../ledger.ts';
import { hostReading } from '../recorder/snapshot.ts';
import { columns, type Cell, type Line } from '../words/columns.ts';
import { holdersWords, ownerCell } from '../words/owners.ts';
import { changedWords, NONE_IN_USE, unseenWords } from '../words/recording.ts';
import { unknownGroupWords } from '../words/who.ts';
import { eventRow } from './event-row.ts';
import { exit } from './failure.ts';
import { logOptions, recordIn } from './log-file.ts';
import { show, verb } from './verb.ts';

/** The option that names a copy of a host to read. */
export const rootOption = {
  root: {
    type: 'string',
    value: 'DIR',
    help: 'read this copy of /proc, /sys and /dev; default: the host itself',
  },
} as const;

/** Takes a snapshot, and prints the changes and the owners of all groups in use. */
export const snapshot = verb({
  name: 'snapshot',
  usage: 'snapshot [--root DIR]',
  summary: 'Reads the running host and appends what has changed since the last snapshot',
  details: [
    'Reads devices, groups and drivers from /sys, nodes from /dev/vfio, and open files and mappings from',
    '/proc, with the container, systemd unit or VM of each process. If the kernel permits (kcmp), two',
    'descriptors of one open file are told apart from two opens. Without root it reads what it may, and',
    'lists what it could not see: a group without a visible holder is then reported as unknown, not as',
    'free.',
    '',
    'Files that are found open were opened before, unseen: their events are inferred. If something cannot',
    'be read, such as whether an open device is bound, the owner of its group is unknown.',
    'With --root links never lead out of DIR, and only regular files are read. What is there and cannot',
    'be read is listed, and leaves the groups that it may concern unknown.',
    'JSON: {at, appended, changed: [EVENT], unseen, complete}.',
  ],
  options: {
    ...rootOption,
    ...logOptions,
    json: { type: 'boolean', help: 'print one JSON value' },
  },
  operands: [0, 0],
  examples: [
    'sh examples/host.sh host && vfio-ledger snapshot --root host --log host.ledger',
    'vfio-ledger snapshot --root host --log host.ledger --json',
  ],
  async answer({ values }, io) {
    const reading = hostReading(values.root);
    const time = new Date().toISOString();
    return recordIn(values, io, async (ledger, path) => {
      const source = values.root ?? '/proc';
      const report = await ledger.snapshot(reading, { time, source });
      await show(io, values.json, report, () => reportText(report, ledger, path));
      return exit.done;
    });
  },
});

function reportText(
  { appended, changed, unseen }: SnapshotReport,
  ledger: Ledger,
  path: string,
): Line[] {
  const then = ledger.at('end');
  const { groups } = then.table();
  const used = groups.filter(({ owner, opener }) => owner.kind !== 'none' || opener !== null);
  const rows = used.map(({ group, owner, opener }): Cell[] => {
    const held = owner.holders.length > 0 ? owner.holders : (opener?.holders ?? []);
    const places = new Set(
      held.flatMap(({ cgroup }) => (cgroup === null ? [] : (unitOf(cgroup) ?? cgroup))),
    );
    return [group, ownerCell(owner), holdersWords(held), [...places].join(' ') || '-'];
  });
  const doubts = used.flatMap(({ group, owner }) => {
    const reason = owner.kind === 'unknown' ? then.whyUnknown(group)?.reason : null;
    return reason == null ? [] : [unknownGroupWords(group, reason)];
  });
  return [
    changedWords(changed.length, appended, path),
    ...(changed.length === 0 || changed.length > MOST_SHOWN
      ? []
      : ['', ...columns(changed.map(eventRow))]),
    '',
    ...(rows.length === 0 ? [NONE_IN_USE] : columns(rows, ['GROUP', 'OWNER', 'HELD BY', 'OF'])),
    ...doubts,
    ...unseenLines(unseen),
  ];
}

const MOST_SHOWN = 20;

/** A line for each thing that a reading of the host could not see. */
export function unseenLines(unseen: readonly string[]): string[] {
  return unseen.length === 0 ? [] : ['', ...unseen.map(unseenWords)];
}
