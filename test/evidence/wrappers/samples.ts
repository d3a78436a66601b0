/**
 * Wrappers as programs print them: what each puts around a message, and what it says of it.
 *
 * @module
 */

export interface SampleWrapper {
  readonly name: string;
  /** The lines that a message becomes. */
  readonly wrap: (message: string) => string;
  readonly clock?: string;
  /** Microseconds on the clock. */
  readonly at?: number;
  readonly pid?: number;
  /** The name of the process. */
  readonly by?: string;
}

const noon = Date.UTC(2026, 2, 4, 12) * 1000;
const precise = noon + 123_456;
/** From the midnight before, on the clock `day`. */
const ofDay = 43_200e6;
const quoted = (message: string) => JSON.stringify(message).slice(1, -1);
const json = (fields: object) => JSON.stringify(fields);

const journal = (message: string) => ({
  __CURSOR: 's=0f3c;i=2a;b=9d;m=1;t=2;x=3',
  __REALTIME_TIMESTAMP: `${precise}`,
  PRIORITY: '3',
  MESSAGE: message,
  SYSLOG_IDENTIFIER: 'vmmd',
  _PID: '4711',
  _HOSTNAME: 'lab',
});
const verbose = (message: string) =>
  [
    'Wed 2026-03-04 12:00:00.123456 UTC [s=0f3c;i=2a;b=9d;m=1;t=2;x=3]',
    '    PRIORITY=3',
    `    MESSAGE=${message}`,
    '    SYSLOG_IDENTIFIER=vmmd',
    '    _PID=4711',
  ].join('\n');
const exported = (message: string) =>
  `${Object.entries(journal(message))
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n\n`;

const before = (prefix: string) => (message: string) => `${prefix}${message}`;
const wall = { clock: 'wall', at: noon };
const exact = { clock: 'wall', at: precise };
const day = { clock: 'day', at: ofDay };
const local = { clock: 'local', at: precise };
const vmmd = { pid: 4711, by: 'vmmd' };
const uptime = { clock: 'uptime', at: 12_345_678 };

export const wrappers: readonly SampleWrapper[] = [
  // Syslog.
  { name: 'RFC 3164', wrap: before('Mar  4 12:00:00 lab vmmd[4711]: '), ...day, ...vmmd },
  {
    name: 'RFC 3164, priority',
    wrap: before('<27>Mar  4 12:00:00 lab vmmd[4711]: '),
    ...day,
    ...vmmd,
  },
  { name: 'RFC 3164, no pid', wrap: before('Mar  4 12:00:00 lab vmmd: '), ...day, by: 'vmmd' },
  {
    name: 'RFC 5424',
    wrap: before('<27>1 2026-03-04T12:00:00.123456Z lab vmmd 4711 ID47 [a@1 k="v"] '),
    ...exact,
    ...vmmd,
  },
  {
    name: 'rsyslog',
    wrap: before('2026-03-04T13:00:00.123456+01:00 lab vmmd[4711]: '),
    ...exact,
    ...vmmd,
  },
  { name: 'rsyslog, uptime', wrap: before('Mar  4 12:00:00 lab kernel: [   12.345678] '), ...day },
  // The kernel's log.
  { name: 'dmesg', wrap: before('[   12.345678] '), ...uptime },
  { name: 'dmesg -x', wrap: before('kern  :warn  : [   12.345678] '), ...uptime },
  { name: 'dmesg -d', wrap: before('[   12.345678 <    0.000012>] '), ...uptime },
  { name: 'dmesg -H', wrap: before('[  +0.000012] ') },
  { name: 'dmesg -H, first', wrap: before('[Mar 4 12:00] ') },
  { name: 'dmesg -T', wrap: before('[Wed Mar  4 12:00:00 2026] '), clock: 'local', at: noon },
  {
    name: 'dmesg --color',
    wrap: (message) => `\u001b[32m[   12.345678] \u001b[0m\u001b[33m${message}\u001b[0m`,
    ...uptime,
  },
  { name: 'dmesg, callers', wrap: before('[   12.345678][  T812] '), ...uptime },
  { name: 'kmsg', wrap: before('4,1234,12345678,-;'), ...uptime },
  {
    name: 'dmesg -J',
    wrap: (message) =>
      `{\n   "dmesg": [\n      {\n         "pri": 4,\n         "msg": "${quoted(message)}"\n      }\n   ]\n}`,
  },
  // The journal.
  { name: 'short', wrap: before('Mar 04 12:00:00 lab vmmd[4711]: '), ...day, ...vmmd },
  {
    name: 'short-precise',
    wrap: before('Mar 04 12:00:00.123456 lab vmmd[4711]: '),
    clock: 'day',
    at: ofDay + 123_456,
    ...vmmd,
  },
  {
    name: 'short-iso',
    wrap: before('2026-03-04T13:00:00+0100 lab vmmd[4711]: '),
    ...wall,
    ...vmmd,
  },
  {
    name: 'short-iso-precise',
    wrap: before('2026-03-04T12:00:00.123456+00:00 lab vmmd[4711]: '),
    ...exact,
    ...vmmd,
  },
  {
    name: 'short-full',
    wrap: before('Wed 2026-03-04 12:00:00 UTC lab vmmd[4711]: '),
    ...wall,
    ...vmmd,
  },
  { name: 'short-monotonic', wrap: before('[   12.345678] lab vmmd[4711]: '), ...uptime, ...vmmd },
  {
    name: 'short-delta',
    wrap: before('[   12.345678 <    0.000012 >] lab vmmd[4711]: '),
    ...uptime,
    ...vmmd,
  },
  { name: 'short-unix', wrap: before(`${noon / 1e6}.123456 lab vmmd[4711]: `), ...exact, ...vmmd },
  {
    name: 'with-unit',
    wrap: before('Wed 2026-03-04 12:00:00 UTC lab vmmd.service[4711]: '),
    ...wall,
    pid: 4711,
  },
  { name: 'cat', wrap: before('') },
  { name: 'verbose', wrap: verbose, ...exact, ...vmmd },
  { name: 'export', wrap: exported, ...exact, ...vmmd },
  { name: 'json', wrap: (message) => json(journal(message)), ...exact, ...vmmd },
  {
    name: 'json-pretty',
    wrap: (message) => JSON.stringify(journal(message), null, '\t'),
    ...exact,
    ...vmmd,
  },
  { name: 'json-sse', wrap: (message) => `data: ${json(journal(message))}`, ...exact, ...vmmd },
  // Containers and pipelines.
  { name: 'CRI', wrap: before('2026-03-04T12:00:00.123456789Z stderr F '), ...exact },
  {
    name: 'docker json-file',
    wrap: (log) =>
      json({ log: `${log}\n`, stream: 'stderr', time: '2026-03-04T12:00:00.123456789Z' }),
    ...exact,
  },
  { name: 'docker compose', wrap: before('vmm-1  | ') },
  { name: 'kubectl --prefix', wrap: before('[pod/vmm-7c9/compute] ') },
  { name: 'GitHub Actions', wrap: before('2026-03-04T12:00:00.1234567Z '), ...exact },
  {
    name: 'gh run view --log',
    wrap: before('build\tRun tests\t2026-03-04T12:00:00.1234567Z ##[error]'),
    ...exact,
  },
  { name: 'GitLab', wrap: before('2026-03-04T12:00:00.123456Z 01E '), ...exact },
  // Loggers.
  {
    name: 'logfmt',
    wrap: (message) => `time="2026-03-04T12:00:00Z" level=error msg="${quoted(message)}" pid=4711`,
    ...wall,
    pid: 4711,
  },
  {
    name: 'klog',
    wrap: before('E0304 12:00:00.123456    4711 device.go:12] '),
    clock: 'day',
    at: ofDay + 123_456,
    pid: 4711,
  },
  {
    name: 'glog',
    wrap: before('E0304 12:00:00.1 4711 device.cc:12] '),
    clock: 'day',
    at: ofDay + 100_000,
    pid: 4711,
  },
  {
    name: 'glog with the year',
    wrap: before('E20260304 12:00:00.123456 4711 device.cc:12] '),
    ...local,
    pid: 4711,
  },
  {
    name: 'Python',
    wrap: before('2026-03-04 12:00:00,123 - vmm.devices - ERROR - '),
    clock: 'local',
    at: noon + 123_000,
  },
  { name: 'Python, basicConfig', wrap: before('ERROR:vmm.devices:') },
  {
    name: 'Python, brackets',
    wrap: before('[2026-03-04 12:00:00,123] [ERROR] '),
    clock: 'local',
    at: noon + 123_000,
  },
  { name: 'Go', wrap: before('2026/03/04 12:00:00 device.go:12: '), clock: 'local', at: noon },
  {
    name: 'zap',
    wrap: (message) =>
      json({ level: 'error', ts: noon / 1e6 + 0.123456, caller: 'a/b.go:12', msg: message }),
    ...exact,
  },
  {
    name: 'zap, console',
    wrap: before('2026-03-04T12:00:00.123Z\tERROR\ta/b.go:12\t'),
    clock: 'wall',
    at: noon + 123_000,
  },
  { name: 'logrus', wrap: before('ERRO[0012] ') },
  {
    name: 'logrus, JSON',
    wrap: (msg) => json({ level: 'error', msg, time: '2026-03-04T12:00:00Z' }),
    ...wall,
  },
  {
    name: 'pino',
    wrap: (msg) => json({ level: 50, time: noon / 1000, pid: 4711, hostname: 'lab', msg }),
    ...wall,
    pid: 4711,
  },
  { name: 'env_logger', wrap: before('[2026-03-04T12:00:00Z ERROR vmm::devices] '), ...wall },
  { name: 'tracing', wrap: before('2026-03-04T12:00:00.123456Z ERROR vmm::devices: '), ...exact },
  {
    name: 'Cloud Hypervisor',
    wrap: before('cloud-hypervisor: 12.345678s: <vmm> ERROR:vmm/src/lib.rs:12 -- '),
  },
  { name: 'SPDK', wrap: before('[2026-03-04 12:00:00.123456] '), ...local },
  {
    name: 'SPDK, source',
    wrap: before('[2026-03-04 12:00:00.123456] env.c: 12:vfio_init: *ERROR*: '),
    ...local,
  },
  { name: 'XLA', wrap: before('2026-03-04 12:00:00.123456: E external/xla/tpu.cc:12] '), ...local },
  { name: 'time of day', wrap: before('12:00:00 ERROR '), ...day },
  { name: 'a worker', wrap: before('(Worker pid=4711) '), pid: 4711 },
  // grep.
  { name: 'grep -n', wrap: before('12:[   12.345678] '), ...uptime },
  {
    name: 'grep -H',
    wrap: before('/var/log/syslog.1:Mar  4 12:00:00 lab vmmd[4711]: '),
    ...day,
    ...vmmd,
  },
  {
    name: 'a syslog without hosts',
    wrap: before('<27>Mar  4 12:00:00 vmmd[4711]: '),
    ...day,
    ...vmmd,
  },
  { name: 'dmesg, callers apart', wrap: before('[   12.345678] [   T812] '), ...uptime },
  // Mail and terminals.
  { name: 'a mail', wrap: before('> ') },
  { name: 'a mail about a mail', wrap: before('> >> ') },
  { name: 'indentation', wrap: before('        ') },
  { name: 'CRLF', wrap: (message) => `${message}\r` },
  { name: 'colours', wrap: (message) => `\u001b[1;31m${message}\u001b[0m` },
  {
    name: 'a terminal of 80 columns',
    wrap: (message) => message.match(/.{1,80}/g)?.join('\n') ?? '',
  },
  // One in another.
  {
    name: 'kubectl --prefix, klog, JSON',
    wrap: (msg) => `[pod/a/b] E0304 12:00:00.123456    4711 device.go:12] ${json({ msg })}`,
    clock: 'day',
    at: ofDay + 123_456,
    pid: 4711,
  },
  {
    name: 'CRI, dmesg',
    wrap: before('2026-03-04T12:00:00.123456789Z stderr F [   12.345678] '),
    ...exact,
  },
  {
    name: 'a mail of a journal',
    wrap: before('> Mar 04 12:00:00 lab vmmd[4711]: '),
    ...day,
    ...vmmd,
  },
  {
    name: 'a journal of logfmt',
    wrap: (message) =>
      `Mar 04 12:00:00 lab vmmd[4711]: time="2026-03-04T12:00:00Z" level=error msg="${quoted(message)}"`,
    ...wall,
    ...vmmd,
  },
  {
    name: 'Loki of CRI of JSON',
    wrap: (msg) =>
      json({ line: 1, message: `2026-03-04T12:00:00.123456789Z stderr F ${json({ msg })}` }),
    ...exact,
  },
];
