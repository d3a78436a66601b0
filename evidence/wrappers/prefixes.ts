/**
 * Wrappers that stand before a message: stamps, hosts, programs, levels, quote marks.
 *
 * @module
 */
import {
  calendar,
  DATE,
  dateless,
  micros,
  MONTH,
  sinceBoot,
  TIME,
  WEEKDAY,
  yearless,
  ZONE,
  zoned,
  type Groups,
  type Stamp,
} from './times.ts';
import { numberOf, type Peeled, type Wrapper } from './wrapper.ts';

/**
 * A form of prefix. Its groups `host`, `program` and `pid` say who wrote the message; `kernel` is the
 * kernel, and `unit` a unit of systemd, whose name is not that of a process.
 */
interface Prefix {
  readonly form: RegExp;
  readonly stamp?: (groups: Groups) => Stamp | null;
  /** The form is that of the kernel's own log. */
  readonly kernel?: true;
}

const LEVEL = String.raw`(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|CRIT(?:ICAL)?|FATAL|PANIC|ALERT|EMERG)`;
const HOST = String.raw`(?<host>(?!${LEVEL} )[^\s:[\]]{1,255})`;
const PROGRAM = String.raw`(?<program>[^\s:[\]]{1,64})`;
const PID = String.raw`\[(?<pid>\d{1,10})\]`;
/** Host and writer. A writer without a pid may be any word, so only the kernel is accepted. */
const ORIGIN = `(?:(?:${HOST} )?(?:(?<kernel>kernel)|${PROGRAM}${PID}): )?`;
/** Host and writer of a syslog. */
const TAG = `(?:(?:${HOST} )?(?:(?<kernel>kernel)|${PROGRAM}${PID}): |${HOST} ${PROGRAM}: )?`;
const PRIORITY = String.raw`(?:<\d{1,3}>)?`;
const PLACE = String.raw`[\w./@<>-]{1,200}:\d{1,6}`;

const prefixes: readonly Prefix[] = [
  // Mail, and the marks of a quotation.
  { form: /^\s{0,80}(?:>|&gt;)(?:\s?(?:>|&gt;)){0,16} ?/ },
  { form: /^\s{1,4096}(?=\S)/ },
  // grep: the file, and the number of the line.
  {
    form: new RegExp(
      String.raw`^(?:[\w./-]{1,256}[:-])?(?:\d{1,9}[:-])?` +
        String.raw`(?=\[ *\d{1,9}\.\d|(?:${MONTH}) +\d{1,2} |${plainGroups(DATE)}[T ]\d\d:)`,
    ),
  },
  // docker compose, kubectl --prefix, gh run view --log, and commands of a workflow.
  { form: /^(?<host>[\w.-]{1,128})\s{0,64} \| / },
  { form: /^\[(?<host>(?:pod|job|deployment)\/[\w./-]{1,512})\] / },
  { form: new RegExp(`^[^\\t]{1,128}\\t[^\\t]{1,128}\\t(?=\uFEFF?${plainGroups(DATE)}T)`) },
  { form: /^(?:##\[\w{1,16}\]|::(?:error|warning|notice|debug)(?: [^:]{0,512})?::)/ },
  { form: /^\uFEFF/ },
  { form: /^data: (?=\{)/ },
  // /dev/kmsg: priority, sequence, microseconds, flags.
  {
    form: /^\d{1,3},\d{1,20},(?<micros>\d{1,15}),[^;\s]{1,40};/,
    kernel: true,
    stamp: ({ micros: at }) => ({ clock: 'uptime', at: Number(at) }),
  },
  // dmesg -x
  {
    form: /^(?:kern|user|daemon|syslog|auth|local\d) {0,4}:(?:emerg|alert|crit|err|warn|notice|info|debug) {0,4}: /,
    kernel: true,
  },
  // dmesg, dmesg -d, and journalctl -o short-monotonic and short-delta, which name host and writer.
  {
    form: new RegExp(
      String.raw`^${PRIORITY}\[ *(?<second>\d{1,9})\.(?<fraction>\d{1,9})` +
        String.raw`(?: <[ \d.]{1,20}>)?\](?: ?\[ *[TC]\d+\])? ${ORIGIN}`,
    ),
    kernel: true,
    stamp: sinceBoot,
  },
  // dmesg -T
  {
    form: new RegExp(
      String.raw`^\[(?:${WEEKDAY}) (?<name>${MONTH}) +(?<day>\d{1,2}) ${TIME} (?<year>\d{4})` +
        String.raw`(?: <[ \d.]{1,20}>)?\] `,
    ),
    kernel: true,
    stamp: (groups) => calendar(groups, 'local'),
  },
  // dmesg -H: the minute, then the time since the line before.
  {
    form: new RegExp(String.raw`^\[(?:(?:${MONTH}) ?\d\d? \d\d:\d\d| *\+\d+\.\d+|<[ \d.]+>)\] `),
    kernel: true,
  },
  // RFC 5424
  {
    form: new RegExp(
      String.raw`^<\d{1,3}>1 ${DATE}T${TIME}${ZONE} (?<host>\S{1,255}) ` +
        String.raw`(?:(?<kernel>kernel)|(?<program>\S{1,64})) (?:(?<pid>\d{1,10})|\S{1,128}) \S{1,64} ` +
        String.raw`(?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*"){0,1024}\])+)(?: \uFEFF?|$)`,
    ),
    stamp: zoned,
  },
  // rsyslog, which writes the tag of its programs without a pid, too.
  {
    form: new RegExp(`^${DATE}T${TIME}(?<zone>[+-]\\d\\d:\\d\\d) ${HOST} ${PROGRAM}(?:${PID})?: `),
    stamp: (groups) => (groups['fraction']?.length === 6 ? zoned(groups) : null),
  },
  // CRI: the stream, and whether the line is whole. GitLab: the number of the stream.
  {
    form: new RegExp(`^${DATE}T${TIME}${ZONE} (?:std(?:out|err) [FP] |[\\da-f]{2}[OE](?: |\\+ ?))`),
    stamp: zoned,
  },
  { form: new RegExp(`^${DATE}[T ]${TIME}(?: ?${ZONE})?:?[ \\t]+(?:- )?${ORIGIN}`), stamp: zoned },
  // SPDK, Python: in brackets. Rust's env_logger has the level and the module in them, too.
  {
    form: new RegExp(`^\\[${DATE}[T ]${TIME} ?${ZONE}?(?: ${LEVEL} {1,2}[\\w:.-]{0,128})?\\] `),
    stamp: zoned,
  },
  // journalctl -o short-full and with-unit
  {
    form: new RegExp(
      String.raw`^(?:${WEEKDAY}) ${DATE} ${TIME} (?<named>[A-Z]{1,5}|[+-]\d\d) ${TAG}`,
    ),
    stamp: (groups) =>
      calendar(groups, /^(?:UTC|GMT)$/.test(groups['named'] ?? '') ? 'wall' : 'local'),
  },
  // Syslog has no year: times count from the first day of the file.
  {
    form: new RegExp(String.raw`^${PRIORITY}(?<name>${MONTH}) +(?<day>\d{1,2}) ${TIME} ${TAG}`),
    stamp: yearless,
  },
  // journalctl -o short-unix
  {
    form: new RegExp(
      String.raw`^(?<second>\d{9,10})\.(?<fraction>\d{6}) ` +
        `${HOST} (?:(?<kernel>kernel)|${PROGRAM}(?:${PID})?): `,
    ),
    stamp: (groups) => ({ clock: 'wall', at: micros(groups) }),
  },
  // klog and glog; a newer glog prints the year.
  {
    form: new RegExp(
      String.raw`^[DIWEF](?<month>\d\d)(?<day>\d\d) ${TIME} +(?<pid>\d{1,10}) [^\s\]]{1,200}:\d{1,6}\] `,
    ),
    stamp: yearless,
  },
  {
    form: new RegExp(
      String.raw`^[DIWEF](?<year>\d{4})(?<month>\d\d)(?<day>\d\d) ${TIME} +(?<pid>\d{1,10}) ` +
        String.raw`[^\s\]]{1,200}:\d{1,6}\] `,
    ),
    stamp: zoned,
  },
  // vLLM: the level, then month and day.
  {
    form: new RegExp(String.raw`^${LEVEL} (?<month>\d\d)-(?<day>\d\d) ${TIME} \[${PLACE}\] `),
    stamp: yearless,
  },
  { form: new RegExp(String.raw`^\[?${TIME}\]? +`), stamp: dateless },
  // libvirt: a thread, the level, and the place in the source.
  { form: /^\d{1,10}: (?:debug|info|warning|error) : (?:\w{1,128}:\d{1,6} : )?/ },
  // Cloud Hypervisor: the time since it was started.
  { form: new RegExp(`^cloud-hypervisor: [\\d.]{1,20}m?s: <[\\w-]{1,64}> ${LEVEL}:${PLACE} -- `) },
  // The process of a worker: Ray, vLLM.
  { form: /^\((?:[\w.:-]{1,64} )?pid=(?<pid>\d{1,10})(?:, ip=[\d.]{1,20})?\) / },
  // A level, with the name of the logger or the place in the source.
  {
    form: new RegExp(String.raw`^(?:[\w.]{1,64} - )?\[?${LEVEL}\]?(?: - |:[\w.-]{1,64}:|:? +|\t)`),
  },
  { form: /^(?:TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[\d{1,10}\] +/ },
  { form: new RegExp(String.raw`^(?:[DIWEF] )?(?:${PLACE}(?:\] |\t|: )|\[${PLACE}\] )`) },
  { form: /^[\w.-]{1,64}\.(?:c|cc|cpp|h): {0,4}\d{1,6}:\w{1,128}: (?:\*\w{1,16}\*: )?/ },
  { form: /^(?:\w{1,64}::)+\w{1,64}: / },
  { form: /^(?:(?<host>[\w.-]{1,64}) )?(?<kernel>kernel): / },
];

/** A pattern without the names of its groups, to be used beside another copy. */
function plainGroups(pattern: string): string {
  return pattern.replace(/\(\?<\w+>/g, '(?:');
}

/** Takes the first of these prefixes off a line. */
export const prefixed: Wrapper = (line) => {
  for (const { form, stamp, kernel } of prefixes) {
    const found = form.exec(line);
    if (found === null || found[0] === '') continue;
    const groups: Groups = found.groups ?? {};
    const time = stamp?.(groups);
    if (time === null && stamp !== undefined) continue;
    const inner = line.slice(found[0].length);
    return { inner, ...(time != null && { stamp: time }), ...writer(groups, kernel === true) };
  }
  return null;
};

/** A name of a unit of systemd, which `with-unit` prints in place of the program. */
const unit = /\.(?:service|scope|socket|slice|mount|timer|target)$/;

function writer({ host, program, pid, kernel }: Groups, inKernel: boolean): Partial<Peeled> {
  const of = host === undefined ? {} : { host };
  if (kernel !== undefined) return { ...of, kernel: true };
  if (program === undefined && pid === undefined) return inKernel ? { ...of, kernel: true } : of;
  const name = program === undefined || unit.test(program) ? null : program;
  return { ...of, kernel: false, pid: numberOf(pid), name };
}
