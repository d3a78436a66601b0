/**
 * Two tables of the same moment, compared, and their differences told with what led to them.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util';
import type { FileView, RecordedEvent, Table } from '../../ledger.ts';

/** How many events are told before the one after which the tables differ. */
const TOLD = 12;

/** Null where both say the same. */
export function differenceOf(
  { actual, expected }: { readonly actual: Table; readonly expected: Table },
  events: readonly RecordedEvent[],
  position: number,
): string | null {
  const [left, right] = [inOrder(actual), inOrder(expected)];
  if (isDeepStrictEqual(left, right)) return null;
  return [...story(events, position), ...differences(left, right)].join('\n');
}

/** Kernel references come in no order of their own. */
function inOrder(table: Table): Table {
  const view = (file: FileView) => ({
    ...file,
    holders: file.holders.toSorted((a, b) =>
      a.via === 'kernel' && b.via === 'kernel' ? age(a.file) - age(b.file) : 0,
    ),
  });
  const maybe = (file: FileView | null) => (file === null ? null : view(file));
  return {
    at: table.at,
    groups: table.groups.map((group) => ({
      ...group,
      opener: maybe(group.opener),
      container: maybe(group.container),
    })),
    devices: table.devices.map((device) => ({ ...device, files: device.files.map(view) })),
    files: table.files.map(view),
  };
}

function age(file: string | null): number {
  return Number(file?.slice(1));
}

/** The boot, and the last of its events. */
function story(events: readonly RecordedEvent[], position: number): string[] {
  const before = events.slice(0, position + 1);
  const boot = before.findLast(({ type }) => type === 'host.booted');
  const since = before.slice((boot?.position ?? -1) + 1);
  const told = since.filter(({ type }) => type !== 'device.added').slice(-TOLD);
  return [
    `after position ${position}, in the sequence ${JSON.stringify(boot?.data)} from ${boot?.position}:`,
    ...told.map(({ position: at, type, data }) => `  ${at} ${type} ${JSON.stringify(data)}`),
  ];
}

function differences(actual: Table, expected: Table): string[] {
  const [mine, theirs] = [facts(actual), facts(expected)];
  return [...new Set([...mine.keys(), ...theirs.keys()])].flatMap((fact) => {
    const [left, right] = [mine.get(fact), theirs.get(fact)];
    return left === right
      ? []
      : [fact, `  the ledger:      ${left}`, `  the brute force: ${right}`];
  });
}

/** What a table says, a fact for each field of each subject. */
function facts({ at, groups, devices, files }: Table): Map<string, string> {
  return new Map([
    ...fieldsOf('at', at),
    ...groups.flatMap((group) => fieldsOf(`group ${group.group}`, group)),
    ...devices.flatMap((device) => fieldsOf(`device ${device.device}`, device)),
    ...files.flatMap((file) => fieldsOf(`file ${file.file}`, file)),
    ['subjects', [...groups, ...devices, ...files].map((one) => Object.values(one)[0]).join(' ')],
  ]);
}

function fieldsOf(subject: string, fields: object): [string, string][] {
  return Object.entries(fields).map(([field, value]) => [
    `${subject}: ${field}`,
    JSON.stringify(value),
  ]);
}
