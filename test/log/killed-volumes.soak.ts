/**
 * `import`, `snapshot`, `seal` and `retain`, killed at each of their writes, and run again: no log is
 * damaged, none has half of an operation, and the second run ends as an undisturbed one.
 *
 * strace counts the writes (system calls that change files) of an undisturbed run, and then sends the
 * signal as the process makes the n-th of them, which does not happen any more. A kill counts if some
 * writes had been made and some had not, by the process's own trace: it was in the middle of the work.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openLedger, sealLog, NotALogError, type Ledger } from '../../ledger.ts';
import { root, run, runCommand } from '../cli/program.ts';
import { countOf } from '../support/effort.ts';
import { startCommand } from './children.ts';
import { temporaryFolder } from './folder.ts';

const base = temporaryFolder();
/** On another file system than `base`. */
const memory = mkdtempSync('/dev/shm/vfio-ledger-');
afterAll(() => rmSync(memory, { recursive: true }));

const WRITES =
  'pwrite64,fdatasync,fsync,unlink,rename,link,ftruncate,fallocate,copy_file_range,sendfile';
/** As many kills in the middle of the work as there must be in a campaign. */
const WANTED = 300;

/** Where a job works: `log` is the path that it is given, which may be a link. */
interface Site {
  readonly folder: string;
  readonly log: string;
  readonly archive: string;
}

interface KillJob {
  readonly name: string;
  /** The folder that it begins with; an empty one if left out. */
  readonly from?: string;
  readonly isLinked?: boolean;
  readonly archivesElsewhere?: boolean;
  readonly args: (site: Site) => readonly string[];
  /** Kills at most; by default as many as a campaign has for each job. */
  readonly most?: number;
  /** Whether it takes minutes under strace, and is only done with --full. */
  readonly isLong?: boolean;
  /** Whether it changes the log several times: appends, or a note that files are gone, and their end. */
  readonly hasParts?: boolean;
  /** What of a log must be as after an undisturbed run; by default the ids and types of its events. */
  readonly shows?: (ledger: Ledger) => unknown;
}

const two = join(base, 'two');
const host = join(base, 'copied-host');
const evidence = join(root, 'examples/incident.truth.jsonl');
const long = join(base, 'long.strace');
const retain = (...more: readonly string[]) => ['retain', '--keep', '0', ...more];

const owners = (ledger: Ledger) =>
  ledger
    .at('end')
    .table()
    .groups.map(({ group, owner }) => [group, owner]);

const jobs: readonly KillJob[] = [
  { name: 'import, a new log', args: () => ['import', evidence] },
  { name: 'import, a new log behind a link', isLinked: true, args: () => ['import', evidence] },
  {
    name: 'import, a log of two files',
    from: two,
    args: () => ['import', '--host', 'b', evidence],
  },
  {
    name: 'snapshot, a new log',
    args: () => ['snapshot', '--root', host],
    // A second reading adds that it was made.
    shows: owners,
  },
  {
    // Events are appended 65,536 at once.
    name: 'import, several appends',
    args: () => ['import', long],
    most: 5,
    isLong: true,
    hasParts: true,
    shows: (ledger) => ledger.head,
  },
  { name: 'seal', from: two, args: () => ['seal'] },
  { name: 'seal, behind a link', from: two, isLinked: true, args: () => ['seal'] },
  { name: 'retain, removes', from: two, hasParts: true, args: () => retain() },
  {
    name: 'retain, archives',
    from: two,
    hasParts: true,
    args: ({ archive }) => retain('--archive', archive),
  },
  {
    name: 'retain, archives behind a link on another file system',
    from: two,
    isLinked: true,
    archivesElsewhere: true,
    hasParts: true,
    args: ({ archive }) => retain('--archive', archive),
  },
];

/** A program that opens and closes a group again and again: 80,000 events. */
function manyCalls(): string {
  const line = (n: number, call: string) => `900 ${(1_772_600_767 + n / 1e4).toFixed(6)} ${call}\n`;
  const opened = 'openat(AT_FDCWD</>, "/dev/vfio/33", O_RDWR) = 10</dev/vfio/33>';
  const lines = Array.from({ length: 40_000 }, (_, n) => {
    return line(2 * n, opened) + line(2 * n + 1, 'close(10</dev/vfio/33>) = 0');
  });
  return lines.join('');
}

beforeAll(async () => {
  writeFileSync(long, manyCalls());
  await runCommand('sh', [join(root, 'examples/host.sh'), host]);
  mkdirSync(two);
  const log = join(two, 'host.ledger');
  for (const isLast of [false, true]) {
    const ledger = await openLedger(log, { host: 'host' });
    const topology = readFileSync(join(root, 'examples/host.topology.json'), 'utf8');
    await ledger.simulate('open_iommufd I\nopen_cdev A gpu\nbind A I\n'.repeat(20), { topology });
    await ledger.close();
    if (!isLast) sealLog(log);
  }
});

let sites = 0;
function siteFor({ from, isLinked = false, archivesElsewhere = false }: KillJob): Site {
  const name = String(sites++);
  const folder = join(base, name);
  const archive = join(archivesElsewhere ? memory : base, `${name}-archive`);
  for (const each of [folder, archive]) mkdirSync(each);
  if (from !== undefined) cpSync(from, folder, { recursive: true });
  const log = join(folder, 'host.ledger');
  const link = join(base, `${name}-link`);
  if (isLinked) symlinkSync(relative(base, log), link);
  return { folder, archive, log: isLinked ? link : log };
}

interface Traced {
  /** The names of the writes that it began, in order. */
  readonly writes: readonly string[];
  /** Its exit code, or the signal that ended it: strace ends as its command does. */
  readonly end: number | NodeJS.Signals | null;
  readonly err: string;
}

/** Runs the program under strace, which sends it a signal at a write if one is `injected`. */
async function traced(
  args: readonly string[],
  trace: string,
  injected: readonly string[] = [],
): Promise<Traced> {
  const options = ['-f', '-qq', '-o', trace, '-e', `trace=${WRITES}`, ...injected];
  // Code that Node compiles for the first time, and keeps, would be writes as well.
  const uncached = ['-E', 'NODE_COMPILE_CACHE'];
  const program = [...options, ...uncached, process.execPath, inject('program'), ...args];
  const { err, end } = await startCommand('strace', program, '').ended;
  const lines = readFileSync(trace, 'utf8').split('\n');
  const writes = lines.flatMap((line) => /^\d+ +([a-z_\d]+)\(/.exec(line)?.[1] ?? []);
  return { writes, end, err };
}

/** What a log shows, and that it is intact; null while there is none. */
async function shown(site: Site, job: KillJob): Promise<unknown> {
  const known = ({ events }: Ledger) =>
    events.map(({ id, type }) => `${type} ${type.startsWith('history.') ? '' : id}`);
  const shows = job.shows ?? known;
  const found: unknown[] = [];
  for (const name of job.args(site).includes('b') ? ['host', 'b'] : [undefined]) {
    const options = name === undefined ? {} : { host: name, create: true };
    const opening = openLedger(site.log, { readOnly: true, ...options });
    const ledger = await opening.catch((error: unknown) => {
      if (error instanceof NotALogError && error.isUnbegun) return null;
      throw error;
    });
    if (ledger === null) return null;
    expect([ledger.cutEnd, (await ledger.examine()).faults]).toEqual([null, []]);
    expect(ledger.verify().faults).toEqual([]);
    found.push(ledger.length === 0 ? null : [ledger.first, shows(ledger)]);
    await ledger.close();
  }
  return found.every((each) => each === null) ? null : found;
}

const filesOf = ({ folder, archive }: Site) => [readdirSync(folder), readdirSync(archive)];

const SOAK = 42;
const kills = countOf('kills at a write of a job', { test: 1, soak: SOAK, full: 1000 });
/** By default three kills in ten are one of the signals that a program may catch. */
const SIGNALS = ['KILL', 'TERM', 'KILL', 'KILL', 'KILL', 'INT', 'KILL', 'KILL', 'KILL', 'HUP'];

let inTheMiddle = 0;

test.for(jobs.filter(({ isLong }) => isLong !== true || kills > SOAK))('$name', async (job) => {
  const whole = siteFor(job);
  const before = await shown(whole, job);
  const trace = `${whole.folder}.trace`;
  const { writes: all, ...undisturbed } = await traced(
    [...job.args(whole), '--log', whole.log],
    trace,
  );
  expect(undisturbed).toEqual({ end: 0, err: '' });
  const after = await shown(whole, job);
  const files = filesOf(whole);

  /** Kills it at its `n`th write, from 0, and runs it again. */
  async function killAt(n: number, signal: string): Promise<void> {
    const site = siteFor(job);
    const args = [...job.args(site), '--log', site.log];
    const name = all[n] ?? '';
    const nth = all.slice(0, n + 1).filter((other) => other === name).length;
    const injected = ['-e', `inject=${name}:signal=${signal}:when=${nth}`];
    const killed = await traced(args, `${site.folder}.trace`, injected);
    const what = `${job.name}, SIG${signal} at write ${n + 1} of ${all.length}, ${name}`;
    expect({ what, end: killed.end }).toEqual({ what, end: `SIG${signal}` });
    const made = killed.writes.length;
    // SIGKILL keeps the last of them from being made, the others do not.
    if (made > 1 && made < all.length) inTheMiddle++;
    const left = await shown(site, job);
    if (job.hasParts !== true) expect([before, after], what).toContainEqual(left);
    const again = await run(args);
    const isSealed = again.code === 2 && again.err.includes('nothing to seal');
    if (!isSealed) expect({ what, ...again }).toMatchObject({ what, code: 0, err: '' });
    expect({ what, files: filesOf(site), shown: await shown(site, job) }).toEqual({
      what,
      files,
      shown: after,
    });
    for (const folder of [site.folder, site.archive]) rmSync(folder, { recursive: true });
  }

  const apart = Math.max(1, all.length / Math.min(kills, job.most ?? kills));
  const places = Array.from({ length: Math.ceil(all.length / apart) }, (_, index) =>
    Math.floor(index * apart),
  );
  const waiting = places.map((n, index) => [n, SIGNALS[index % SIGNALS.length] ?? 'KILL'] as const);
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await killAt(...next);
    }
  };
  await Promise.all([worker(), worker()]);
  process.stdout.write(`${job.name}: killed at ${places.length} of ${all.length} writes\n`);
});

test('a full archive is told as that, and the same call goes on once there is room', async () => {
  const site = siteFor({ name: 'full', from: two, args: () => [] });
  const mounted = await runCommand('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'none', site.archive]);
  expect(mounted).toMatchObject({ code: 0, err: '' });
  try {
    const args = [...retain('--archive', site.archive), '--log', site.log];
    const before = filesOf(site);
    const copy = join(site.archive, 'host.ledger');
    const err = `vfio-ledger: ${copy} cannot be written: no space left\n`;
    expect(await run(args)).toEqual({ code: 4, out: '', err });
    expect(filesOf(site)).toEqual(before);
    await runCommand('mount', ['-o', 'remount,size=4m', site.archive]);
    expect(await run(args)).toMatchObject({ code: 0, err: '' });
    expect(filesOf(site)).toEqual([['host.ledger.0002'], ['host.ledger']]);
  } finally {
    await runCommand('umount', [site.archive]);
  }
});

test('as many kills were in the middle of the work as there must be', () => {
  process.stdout.write(
    `${inTheMiddle} kills in the middle of the work: the trace of the process has writes before the ` +
      `kill, and the undisturbed run has more\n`,
  );
  expect(inTheMiddle).toBeGreaterThanOrEqual(WANTED);
});
