/**
 * `DriverWrites`: which change of a driver the commands in a paste asked for. A shell that is refused names
 * neither device nor driver: they stand in the command before, or in the lines around.
 *
 * @module
 */
import { isPrompt } from './fdinfo.ts';
import { BDF, DEVICE } from './names.ts';

/** A change of a driver. Left out: not shown. The driver is null for an unbind. */
interface AskedChange {
  readonly device?: string | undefined;
  readonly driver?: string | null | undefined;
}

const NAME = String.raw`[^/\s'"]{1,64}`;
const OF_DEVICE = String.raw`\/(?:driver\/unbind|driver_override)`;
/** The files of /sys by which the driver of a device is changed. */
export const ATTRIBUTE =
  String.raw`\/sys\/(?:bus\/(?:pci|mdev)\/(?:drivers\/${NAME}\/(?:bind|unbind|new_id|remove_id)|` +
  String.raw`drivers_probe|devices\/${NAME}${OF_DEVICE})|` +
  String.raw`devices\/[^\s'"]{1,256}${OF_DEVICE})(?![\w/-])`;

const device = new RegExp(`^${DEVICE}$`);
const ofDevice = new RegExp(String.raw`\/(?<name>[^/]+)${OF_DEVICE}$`);
const ofDriver = /\/drivers\/(?<driver>[\w-]+)\/(?<file>bind|unbind|new_id|remove_id)$/;

/** What the path of such a file says of the change that a write to it asks for. */
export function changeAt(path: string): AskedChange {
  const name = ofDevice.exec(path)?.groups?.['name'] ?? '';
  const { driver, file } = ofDriver.exec(path)?.groups ?? {};
  const isUnbind = path.endsWith('/unbind') || file === 'remove_id';
  return {
    device: device.test(name) ? name.toLowerCase() : undefined,
    driver: isUnbind ? null : driver,
  };
}

/** A line that asks for a change, or only names a device. */
interface AskingLine extends AskedChange {
  readonly line: number;
  readonly paths: readonly string[];
  readonly isCommand: boolean;
  /** The line is what was run: a prompt or the `+` of `set -x` stands before it. */
  readonly isRun: boolean;
}

/** The number of lines in which a command is refused. */
const REACH = 12;

export class DriverWrites {
  #lines: readonly AskingLine[] = [];

  /** Whether a command asked for a change just before a line, or in it. */
  isAsked(line: number): boolean {
    return this.#near(line).some(({ isCommand }) => isCommand);
  }

  /** Another command follows. */
  forget(): void {
    this.#lines = [];
  }

  take(message: string, line: number): void {
    const text = message.replaceAll(String.raw`\:`, ':');
    if (isPrompt(text)) this.forget();
    const asking = askingLine(text, line);
    if (asking !== null) this.#lines = [...this.#near(line), asking];
  }

  /**
   * The whole of a change that a line says was refused. `path`: the file that was written to, or null if
   * the line does not name it. The device is left out if the lines before name none, or several.
   */
  completed(said: AskedChange, path: string | null, line: number): AskedChange {
    const near = this.#near(line);
    const commands = near.filter(
      (one) =>
        one.isCommand &&
        (path === null || one.paths.includes(path)) &&
        (said.device === undefined || one.device === undefined || one.device === said.device),
    );
    const run = commands.findLast(({ isRun }) => isRun);
    const meant = run === undefined ? commands : [run];
    const devices = distinct(meant.map((one) => one.device));
    const named = devices.length > 0 ? devices : distinct(near.map((one) => one.device));
    const drivers = distinct(meant.map(({ driver }) => driver));
    return {
      device: said.device ?? (named.length === 1 ? named[0] : undefined),
      driver: said.driver === undefined && drivers.length === 1 ? drivers[0] : said.driver,
    };
  }

  #near(line: number): readonly AskingLine[] {
    return this.#lines.filter((one) => line - one.line < REACH);
  }
}

function distinct<T>(values: readonly (T | undefined)[]): readonly T[] {
  return [...new Set(values.filter((value) => value !== undefined))];
}

const SHORT = String.raw`[\da-fA-F]{2}:[01][\da-fA-F]\.[0-7]`;
const deviceName = new RegExp(String.raw`(?<![\w:/.-])(?:${DEVICE}|${SHORT})(?![\w.-]|:\w)`, 'g');
const NODEDEV = String.raw`pci_[\da-f]{4}_[\da-f]{2}_[\da-f]{2}_[0-7]`;
const wholeName = new RegExp(String.raw`(?<![\w:/.-])(?:${BDF}|${NODEDEV})(?![\w.-]|:\w)`, 'g');
const written = new RegExp(
  String.raw`(?:>|\btee(?: -\S{1,32}){0,4}|\bof=|[(,])\s{0,8}\\?["']?(?<path>${ATTRIBUTE})`,
  'g',
);
const driverWord =
  /(?:\b(?:echo|printf)(?: -\w{1,4}){0,3}\s{1,8}|\bwrite\()\\?["']?(?<driver>[a-z][\w-]{0,63})\b(?!:)/i;
/** What `set -x` prints: it leaves out where a command writes to. */
const traced = /^\+{1,8} (?=\S)/;
const run = /^\+{1,8} (?:sudo (?:-\S{1,32} ){0,4})?(?:echo|printf|tee)\b/;

function askingLine(text: string, line: number): AskingLine | null {
  const ofTool = toolIn(text);
  if (ofTool !== null) return { ...ofTool, line, paths: [], isCommand: true, isRun: isRunBy(text) };
  const paths = Array.from(text.matchAll(written), (match) => match.groups?.['path'] ?? '');
  const names = text.match(paths.length > 0 || run.test(text) ? deviceName : wholeName) ?? [];
  const changes = paths.map(changeAt);
  const devices = distinct([...changes.map((one) => one.device), ...names.map(deviceNamed)]);
  if (paths.length === 0 && devices.length === 0) return null;
  const overrides = paths.some((path) => path.endsWith('/driver_override'));
  const word = overrides ? driverWord.exec(text)?.groups?.['driver'] : undefined;
  const drivers = distinct([word, ...changes.map(({ driver }) => driver)]);
  return {
    line,
    paths,
    device: devices.length === 1 ? devices[0] : undefined,
    driver: drivers.length === 1 ? drivers[0] : undefined,
    isCommand: paths.length > 0 || run.test(text),
    isRun: isRunBy(text),
  };
}

function isRunBy(text: string): boolean {
  return isPrompt(text) || traced.test(text);
}

/** `81:00.0` and `pci_0000_81_00_0` as addresses. */
function deviceNamed(name: string): string {
  const [, domain, bus, slot, fn] =
    /^pci_([\da-f]{4})_([\da-f]{2})_([\da-f]{2})_([0-7])$/i.exec(name) ?? [];
  if (domain !== undefined) return `${domain}:${bus}:${slot}.${fn}`.toLowerCase();
  return (name.length === 'bb:dd.f'.length ? `0000:${name}` : name).toLowerCase();
}

const ANY = String.raw`(?<device>${BDF}|${SHORT}|${NODEDEV})\b`;
const DRIVER = String.raw`(?<driver>[\w-]{1,64})`;

/** Commands and messages of tools that change drivers, and the driver if the words do not name it. */
const tools: readonly (readonly [words: RegExp, driver: string | null | undefined])[] = [
  [tool(String.raw`\bdriverctl .{0,60}?\bset-override\s{1,8}${ANY}\s{1,8}${DRIVER}`), undefined],
  [tool(String.raw`\bdriverctl .{0,60}?\bunset-override\s{1,8}${ANY}`), undefined],
  [
    tool(
      String.raw`\bdpdk[-_](?:devbind|nic_bind)(?:\.py)? .{0,60}?(?:-b|--bind)[ =]${DRIVER}\s{1,8}${ANY}`,
    ),
    undefined,
  ],
  [
    tool(String.raw`\bdpdk[-_](?:devbind|nic_bind)(?:\.py)? .{0,60}?(?:-u|--unbind)\s{1,8}${ANY}`),
    null,
  ],
  [
    tool(String.raw`\bvirsh .{0,60}?\bnodedev-(?:det|dett|reatt)ach\s{1,8}(?:--device )?${ANY}`),
    undefined,
  ],
  [tool(String.raw`\bxl .{0,40}?\bpci-assignable-add\s{1,8}${ANY}`), 'pciback'],
  // SPDK's setup.sh, before it writes.
  [tool(String.raw`${ANY} \([\da-f]{4} [\da-f]{4}\): [\w-]{1,64} -> ${DRIVER}`), undefined],
];

function tool(words: string): RegExp {
  return new RegExp(words, 'i');
}

function toolIn(text: string): AskedChange | null {
  for (const [words, fixed] of tools) {
    const { device: name, driver } = words.exec(text)?.groups ?? {};
    if (name !== undefined) return { device: deviceNamed(name), driver: driver ?? fixed };
  }
  return null;
}
