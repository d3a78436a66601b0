/**
 * `DriverWrites`: which change of a driver the commands in a paste asked for. A shell that is refused names
 * neither device nor driver: they stand in the command before, or in the lines around.
 *
 * @module
 */
import { isPrompt } from './fdinfo.ts';
import { BDF, DEVICE, remember } from './names.ts';

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

/** A line that asks for a change, or only names devices. */
interface AskingLine {
  readonly line: number;
  /** The files that it writes to. */
  readonly paths: readonly string[];
  readonly devices: readonly string[];
  /** As in `AskedChange`. */
  readonly driver?: string | null | undefined;
  readonly isCommand: boolean;
  /** The line is what was run: a prompt or the `+` of `set -x` stands before it. */
  readonly isRun: boolean;
  /** Another command stands between it and the last line. */
  readonly isEarlier: boolean;
}

/** The number of lines in which a command is refused. */
const REACH = 12;
/** The number of variables of a shell that are remembered. */
const MOST_VARIABLES = 64;

export class DriverWrites {
  #lines: readonly AskingLine[] = [];
  readonly #variables = new Map<string, string>();

  /** Whether a command asked for a change just before a line, or in it. */
  isAsked(line: number): boolean {
    return this.#near(line).some(({ isCommand }) => isCommand);
  }

  /** Another command follows. */
  forget(): void {
    this.#lines = this.#lines.map((one) => ({ ...one, isCommand: false, isEarlier: true }));
  }

  take(message: string, line: number): void {
    if (isPrompt(message)) this.forget();
    const asking = askingLine(this.#expanded(message.replaceAll(String.raw`\:`, ':')), line);
    if (asking !== null) this.#lines = [...this.#near(line), asking];
  }

  /**
   * The whole of a change that a line says was refused. `path`: the file that was written to, or null if
   * the line does not name it. The device is left out if the lines before name none, or several.
   */
  completed(said: AskedChange, path: string | null, line: number): AskedChange {
    const near = this.#near(line);
    const commands = near.filter(
      ({ isCommand, paths, devices }) =>
        isCommand &&
        (path === null || paths.includes(path)) &&
        (said.device === undefined || devices.length === 0 || devices.includes(said.device)),
    );
    const run = commands.findLast(({ isRun }) => isRun);
    const meant = run === undefined ? commands : [run];
    const written = distinct(meant.flatMap(({ devices }) => devices));
    // The ids of a device name none: it is the one that the commands before are about.
    const byIds = [path, ...meant.flatMap(({ paths }) => paths)].some((one) =>
      one?.endsWith('_id'),
    );
    const around = near.filter(({ isEarlier }) => byIds || !isEarlier);
    const devices = written.length > 0 ? written : distinct(around.flatMap((one) => one.devices));
    const drivers = distinct(meant.map(({ driver }) => driver));
    return {
      device: said.device ?? (devices.length === 1 ? devices[0] : undefined),
      driver: said.driver === undefined && drivers.length === 1 ? drivers[0] : said.driver,
    };
  }

  /** A line with the values of the variables that lines before, or itself, have set. */
  #expanded(text: string): string {
    for (const { groups } of text.matchAll(assignment)) {
      remember(this.#variables, groups?.['name'] ?? '', groups?.['value'] ?? '', MOST_VARIABLES);
    }
    for (const { groups } of text.matchAll(loop)) this.#variables.delete(groups?.['name'] ?? '');
    if (this.#variables.size === 0 || !text.includes('$')) return text;
    return text.replace(variable, (whole, name: string) => this.#variables.get(name) ?? whole);
  }

  #near(line: number): readonly AskingLine[] {
    return this.#lines.filter((one) => line - one.line < REACH);
  }
}

const assignment =
  /(?:^|[\s;])(?<name>[A-Za-z_]\w{0,31})=["']?(?<value>[\w:.-]{1,64})["']?(?=[\s;]|$)/g;
/** A variable of a loop has several values. */
const loop = /\bfor (?<name>[A-Za-z_]\w{0,31}) in\b/g;
const variable = /\$\{?([A-Za-z_]\w{0,31})\}?/g;

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
  const isRun = isPrompt(text) || traced.test(text);
  const ofTool = toolIn(text);
  if (ofTool !== null) {
    const { device: name, driver } = ofTool;
    const devices = name === undefined ? [] : [name];
    return { line, paths: [], devices, driver, isCommand: true, isRun, isEarlier: false };
  }
  const paths = Array.from(text.matchAll(written), (match) => match.groups?.['path'] ?? '');
  const isCommand = paths.length > 0 || run.test(text);
  const changes = paths.map(changeAt);
  const names = text.match(isCommand ? deviceName : wholeName) ?? [];
  const devices = distinct([...changes.map((one) => one.device), ...names.map(deviceNamed)]);
  if (paths.length === 0 && devices.length === 0) return null;
  const overrides = paths.some((path) => path.endsWith('/driver_override'));
  const word = overrides ? driverWord.exec(text)?.groups?.['driver'] : undefined;
  const drivers = distinct([word, ...changes.map((one) => one.driver)]);
  const driver = drivers.length === 1 ? drivers[0] : undefined;
  return { line, paths, devices, driver, isCommand, isRun, isEarlier: false };
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
