/**
 * `table`: prints who owns, opens and holds which group and device.
 *
 * @module
 */
import type { DeviceWithClaims, GroupWithClaims, FileView, Table } from '../ledger.ts';
import { kindOfDriver } from '../operations/driver.ts';
import { columns, type Cell, type Line } from '../words/columns.ts';
import { momentWords } from '../words/moments.ts';
import { filesWords, holdersWords, hiddenWords, ownerCell } from '../words/owners.ts';
import { claimWords } from '../words/who.ts';
import { allHostsOption, askHosts } from './all-hosts.ts';
import { exit } from './failure.ts';
import { atOption, readingOptions, readLog, sayLogEnds } from './log-file.ts';
import { show, verb } from './verb.ts';

/** Prints the groups, devices and orphaned files of a moment. */
export const table = verb({
  name: 'table',
  usage: 'table [--at WHEN] [--all]',
  summary: 'Shows who owns, opens and holds which group and device, at any moment',
  details: [
    'SINCE is the position of the event that gave the group its owner. An orphaned file is open although',
    'no process has a descriptor or mapping of it: the kernel keeps it. Groups in which no device has a',
    'VFIO driver are only counted, unless user space owns the group or has it open. --json always has',
    'all groups. If the owner of a group is unknown, HELD BY shows which files of it are open, and who was',
    'seen to hold them. A claim is what a manager such as libvirt says; a claimant is not an owner.',
  ],
  options: {
    ...atOption,
    all: { type: 'boolean', help: 'show groups without a VFIO driver, too, and their devices' },
    ...allHostsOption,
    ...readingOptions,
  },
  operands: [0, 0],
  examples: [
    'vfio-ledger table --log demo.ledger',
    'vfio-ledger table --at 16 --log demo.ledger',
    'vfio-ledger table --all-hosts --json --log demo.ledger',
    'vfio-ledger table --at start --all --json --log demo.ledger',
  ],
  async answer({ values: given }, output) {
    return askHosts(given, output, async (values, io) =>
      readLog(values, io, async (ledger) => {
        const { at = 'end' } = values;
        const found = ledger.at(at).table();
        sayLogEnds(io, ledger, at);
        await show(io, values.json, found, () => tableText(found, values.all === true));
        return exit.done;
      }),
    );
  },
});

function tableText({ at, groups, devices, files }: Table, all: boolean): Line[] {
  const members = Map.groupBy(devices, ({ group }) => group);
  const shown = groups.filter((view) => all || isOfInterest(view, members.get(view.group) ?? []));
  const names = new Set<string | null>(shown.map(({ group }) => group));
  const seen = devices.filter(
    ({ group, files: open }) => names.has(group) || (group === null && (all || open.length > 0)),
  );
  const hidden = groups.length - shown.length;
  const orphans = files.filter(isOrphan);
  const parts = [
    shown.length === 0 ? [] : groupLines(shown, members),
    seen.length === 0 ? [] : deviceLines(seen),
    orphans.length === 0 ? [] : orphanLines(orphans),
    claimWords(seen.flatMap(({ claimants }) => claimants)),
    hidden === 0 ? [] : [`${hiddenWords(hidden)} (--all)`],
  ];
  return [
    [{ text: momentWords(at), tone: 'heading' }],
    ...parts.flatMap((lines) => (lines.length === 0 ? [] : ['', ...lines])),
  ];
}

function isOfInterest(
  { owner, opener, claimants }: GroupWithClaims,
  devices: readonly DeviceWithClaims[],
): boolean {
  if (opener !== null || claimants.length > 0 || (owner.kind !== 'none' && owner.kind !== 'kernel'))
    return true;
  // Of a group without known devices nobody can say that it has no VFIO driver.
  return (
    devices.length === 0 ||
    devices.some(
      ({ driver, files }) =>
        files.length > 0 || (driver !== null && kindOfDriver(driver) === 'vfio'),
    )
  );
}

function groupLines(
  groups: readonly GroupWithClaims[],
  members: ReadonlyMap<string | null, readonly DeviceWithClaims[]>,
): Line[] {
  const rows = groups.map((view): Cell[] => {
    const { group, owner, since, opener } = view;
    const devices = members.get(group) ?? [];
    return [
      group,
      ownerCell(owner),
      since === null ? '-' : String(since),
      opener === null ? '-' : opener.file,
      devices.map(callName).join(', ') || '-',
      owner.kind === 'unknown' ? seenWords(view, devices) : holdersWords(owner.holders),
    ];
  });
  return columns(rows, ['GROUP', 'OWNER', 'SINCE', 'OPENER', 'DEVICES', 'HELD BY']);
}

/** The holders of a group's open files, which may or may not keep its unknown owner alive. */
function seenWords({ opener }: GroupWithClaims, devices: readonly DeviceWithClaims[]): string {
  const files = [...(opener === null ? [] : [opener]), ...devices.flatMap((view) => view.files)];
  return files.length === 0 ? '-' : `seen: ${filesWords(files)}`;
}

function deviceLines(devices: readonly DeviceWithClaims[]): Line[] {
  const rows = devices.map((view): Cell[] => [
    view.device,
    view.name ?? '-',
    view.group ?? '-',
    view.driver ?? '-',
    { text: view.state, tone: view.state === 'unknown' ? 'unknown' : 'plain' },
    filesWords(view.files),
  ]);
  return columns(rows, ['DEVICE', 'NAME', 'GROUP', 'DRIVER', 'STATE', 'OPEN FILES']);
}

function orphanLines(files: readonly FileView[]): Line[] {
  const rows = files.map(({ file, kind, holders }) => [file, kind, holdersWords(holders)]);
  return columns(rows, ['ORPHANED FILE', 'KIND', 'KEPT BY']);
}

function callName({ device, name }: DeviceWithClaims): string {
  return name ?? device;
}

/** Whether no process has a descriptor or a mapping of the file: only the kernel keeps it alive. */
function isOrphan({ holders }: FileView): boolean {
  return holders.every(({ via }) => via !== 'fd' && via !== 'mapping');
}
