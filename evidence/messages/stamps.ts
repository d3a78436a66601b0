/**
 * Reads the prefix of a log line: its time and its writer, as kernels, journals and programs print it.
 *
 * @module
 */
import type { Clock } from '../sighting.ts';

/** A time on one of the clocks. */
export interface Stamp {
  readonly clock: Exclude<Clock, 'none'>;
  /** Microseconds. */
  readonly at: number;
}

/** The parts of a line. */
export interface Stamped {
  readonly stamp: Stamp | null;
  /** The program that wrote the line, if a journal names it. */
  readonly ident: string | null;
  readonly pid: number | null;
  /** Whether the form is that of the kernel's own log. */
  readonly kernel: boolean;
  /** The boot id of a journal entry. */
  readonly boot: string | null;
  readonly message: string;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun'].concat([
  'Jul',
  'Aug',
  'Sep',
  'Oct',
  'Nov',
  'Dec',
]);
const MONTH = MONTHS.join('|');
const DAY = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun';
const DATE = String.raw`(?<year>\d{4})[-/](?<month>\d\d)[-/](?<day>\d\d)`;
const FRACTION = String.raw`(?:[.,:](?<fraction>\d{1,9}))?`;
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)${FRACTION}`;
const ZONE = String.raw`(?<zone>Z|[+-]\d\d:?\d\d)`;

/** Replaces a missing year: it has every possible day. */
const LEAP_YEAR = '2000';
const DAY_MICROS = 86_400e6;

type Groups = Readonly<Record<string, string | undefined>>;

const forms: readonly {
  readonly form: RegExp;
  readonly kernel: boolean;
  readonly stamp: (groups: Groups) => Stamp | null;
}[] = [
  // /dev/kmsg: priority, sequence, microseconds, flags.
  {
    form: /^\d{1,3},\d{1,20},(?<micros>\d{1,15}),[^;\s]{1,40};/,
    kernel: true,
    stamp: ({ micros }) => ({ clock: 'uptime', at: Number(micros) }),
  },
  {
    form: new RegExp(
      String.raw`^(?:<\d{1,3}>)?\[ *(?<second>\d{1,9})\.(?<fraction>\d{1,9})` +
        String.raw`(?: <[ \d.]{1,20}>)?\](?:\[ *[TC]\d+\])? `,
    ),
    kernel: true,
    stamp: (groups) => ({ clock: 'uptime', at: micros(groups) }),
  },
  // dmesg -T
  {
    form: new RegExp(
      String.raw`^\[(?:${DAY}) (?<name>${MONTH}) +(?<day>\d{1,2}) ${TIME} (?<year>\d{4})\] `,
    ),
    kernel: true,
    stamp: (groups) => calendar(groups, 'local'),
  },
  // dmesg -H: the minute, then the time since the line before.
  {
    form: new RegExp(String.raw`^\[(?:(?:${MONTH}) ?\d\d? \d\d:\d\d| *\+\d+\.\d+|<[ \d.]+>)\] `),
    kernel: true,
    stamp: () => null,
  },
  // RFC 5424
  { form: new RegExp(`^<\\d{1,3}>1 ${DATE}T${TIME}${ZONE} `), kernel: false, stamp: zoned },
  { form: new RegExp(`^${DATE}[T ]${TIME}(?: ?${ZONE})?:? `), kernel: false, stamp: zoned },
  // journalctl -o short-full
  {
    form: new RegExp(String.raw`^(?:${DAY}) ${DATE} ${TIME} (?<named>[A-Z]{1,5}|[+-]\d\d) `),
    kernel: false,
    stamp: (groups) =>
      calendar(groups, /^(?:UTC|GMT)$/.test(groups['named'] ?? '') ? 'wall' : 'local'),
  },
  // Syslog has no year: times count from the first day of the file.
  {
    form: new RegExp(String.raw`^(?:<\d{1,3}>)?(?<name>${MONTH}) +(?<day>\d{1,2}) ${TIME} `),
    kernel: false,
    stamp: (groups) => calendar({ ...groups, year: LEAP_YEAR }, 'day'),
  },
  // journalctl -o short-unix
  {
    form: /^(?<second>\d{9,10})\.(?<fraction>\d{6}) (?=[^\s:[\]]+ [^\s:[\]]+(?:\[\d+\])?: )/,
    kernel: false,
    stamp: (groups) => ({ clock: 'wall', at: micros(groups) }),
  },
];

/** The host and the writer. A writer without a pid may be any text, so only the kernel is accepted. */
const origin = /^[^\s:[\]]{1,255} (?:kernel|(?<ident>[^\s:[\]]{1,64})\[(?<pid>\d{1,10})\]): /;
const origin5424 =
  /^\S{1,255} (?<ident>\S{1,64}) (?<pid>\d{1,10}|-) \S{1,64} (?:-|\[[^\]]{0,1024}\]) ?/;

/** Splits a line into its parts. Without a known prefix, the whole line is the message. */
export function stamped(line: string): Stamped {
  if (line.startsWith('{')) {
    const entry = journalEntry(line) ?? loggedEntry(line);
    if (entry !== null) return entry;
  }
  for (const { form, kernel, stamp } of forms) {
    const found = form.exec(line);
    if (found === null) continue;
    const rest = line.slice(found[0].length);
    const from = (/^<\d+>1 /.test(line) ? origin5424 : origin).exec(rest);
    const { ident, pid } = from?.groups ?? {};
    return {
      stamp: stamp(found.groups ?? {}),
      ident: from === null ? null : (ident ?? 'kernel'),
      pid: pid === undefined || pid === '-' ? null : Number(pid),
      kernel: from === null ? kernel : ident === undefined || ident === 'kernel',
      boot: null,
      message: from === null ? rest : rest.slice(from[0].length),
    };
  }
  return { stamp: null, ident: null, pid: null, kernel: false, boot: null, message: line };
}

/** A line of `journalctl -o json`. */
function journalEntry(line: string): Stamped | null {
  if (!line.includes('"MESSAGE"')) return null;
  let entry: Readonly<Record<string, unknown>>;
  try {
    entry = JSON.parse(line) as typeof entry;
  } catch {
    return null;
  }
  const text = (key: string) => (typeof entry[key] === 'string' ? entry[key] : null);
  const message = text('MESSAGE');
  if (message === null) return null;
  const at = /^\d{1,16}$/.exec(text('__REALTIME_TIMESTAMP') ?? '');
  const pid = /^\d{1,10}$/.exec(text('_PID') ?? text('SYSLOG_PID') ?? '');
  const ident = text('SYSLOG_IDENTIFIER');
  return {
    stamp: at === null ? null : { clock: 'wall', at: Number(at[0]) },
    ident,
    pid: pid === null ? null : Number(pid[0]),
    kernel: text('_TRANSPORT') === 'kernel' || ident === 'kernel',
    boot: text('_BOOT_ID'),
    message,
  };
}

/** A line of a program's own JSON log: the whole line is the message. */
function loggedEntry(line: string): Stamped | null {
  const found = loggedTime.exec(line);
  const pid = /"pid":(\d{1,10})\b/.exec(line)?.[1];
  if (found === null && pid === undefined) return null;
  return {
    stamp: found === null ? null : zoned(found.groups ?? {}),
    ident: null,
    pid: pid === undefined ? null : Number(pid),
    kernel: false,
    boot: null,
    message: line,
  };
}

const loggedTime = new RegExp(String.raw`"(?:@?time(?:stamp)?|ts)":"${DATE}[T ]${TIME}${ZONE}?"`);

function zoned(groups: Groups): Stamp | null {
  const { zone } = groups;
  if (zone === undefined) return calendar(groups, 'local');
  const stamp = calendar(groups, 'wall');
  if (stamp === null || zone === 'Z') return stamp;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  const east = zone.startsWith('+') ? minutes : -minutes;
  return { ...stamp, at: stamp.at - east * 60_000_000 };
}

/** A calendar time; null if there is no such day or hour. */
export function calendar(groups: Groups, clock: 'wall' | 'local' | 'day'): Stamp | null {
  const { year, month, name, day, hour, minute, second } = groups;
  const index = name === undefined ? Number(month) - 1 : MONTHS.indexOf(name);
  const [d, h, m, s] = [Number(day), Number(hour), Number(minute), Number(second)];
  if (!(index >= 0 && index < 12 && d >= 1 && d <= 31 && h < 24 && m < 60 && s <= 60)) return null;
  const at = Date.UTC(Number(year), index, d, h, m) * 1000;
  return { clock, at: at + micros(groups) };
}

function micros({ second, fraction }: Groups): number {
  return Number(second) * 1_000_000 + Number((fraction ?? '').padEnd(6, '0').slice(0, 6));
}

/** Puts all lines on the clock of the first line with a time. Times of other clocks become null. */
export interface LineClock {
  readonly clock: Clock;
  at(stamp: Stamp | null): number | null;
}

export function lineClock(): LineClock {
  let clock: Clock = 'none';
  let midnight: number | null = null;
  const ofDay = (at: number): number => {
    midnight ??= Math.floor(at / DAY_MICROS) * DAY_MICROS;
    const since = at - midnight;
    return since < -180 * DAY_MICROS ? since + 366 * DAY_MICROS : since;
  };
  return {
    get clock() {
      return clock;
    },
    at(stamp) {
      if (stamp === null) return null;
      if (clock === 'none') ({ clock } = stamp);
      if (clock !== stamp.clock) return null;
      return clock === 'day' ? ofDay(stamp.at) : stamp.at;
    },
  };
}
