/**
 * A command beside a tracer of the whole host: what its processes do is told from what others do.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImportReport, Ledger } from '../ledger.ts';
import { Command, statusOf, type Ending, type LeftBehind } from './command.ts';
import { snapshotBeside } from './recorder.ts';
import { Tracer, type Tracing } from './tracer.ts';

export interface WatchOptions {
  readonly tracing: Tracing;
  readonly command: readonly [program: string, ...args: string[]];
  /** What children that the command leaves behind have to end by themselves. */
  readonly patienceMs: number;
  /** Where the host is read; undefined for this one. */
  readonly root: string | undefined;
}

export interface Watched extends Ending {
  /** The last position of how the host stood before. */
  readonly after: number;
  readonly report: ImportReport;
  /** Processes of the command that run still. */
  readonly left: readonly LeftBehind[];
  /** The command's processes, also those that have ended. */
  readonly kin: ReadonlySet<number>;
}

const POLL_MS = 20;
/** A line that shows who begins whom, as `-f json` prints it. */
const FORK = /\\"pid\\":(\d+),.*\\"ev\\":\\"fork\\",\\"child\\":(\d+)/;

/** Runs a command to its end. Rejects with `TracerError` where the tracer cannot be had. */
export async function runWatched(ledger: Ledger, options: WatchOptions): Promise<Watched> {
  const { tracing, command, patienceMs, root } = options;
  const kin = new Set<number>();
  const tracer = new Tracer(tracing, (line) => {
    const [, parent, child] = FORK.exec(line) ?? [];
    if (kin.has(Number(parent))) kin.add(Number(child));
  });
  try {
    await tracer.attached(new AbortController().signal);
    await snapshotBeside(tracer, ledger, root);
    const after = ledger.head.position;
    const followed = ledger.follow(tracer.lines, { format: 'bpftrace' });
    // Without a log the command goes on all the same.
    followed.catch(() => {});
    const [program, ...args] = command;
    const { pid, ended } = new Command(program, args);
    if (pid !== null) kin.add(pid);
    const ending = await ended;
    await tracer.arrived();
    const left = await leftOf(kin, patienceMs);
    await tracer.stop();
    return { ...ending, after, report: await followed, left, kin };
  } finally {
    await tracer.stop();
  }
}

/** Who runs still, after some time for them to end. */
async function leftOf(kin: ReadonlySet<number>, patienceMs: number): Promise<LeftBehind[]> {
  for (const late = performance.now() + patienceMs; ; await sleep(POLL_MS)) {
    const left = [...kin].flatMap((pid) => {
      const status = statusOf(pid);
      return status === null ? [] : [{ pid, comm: status.comm }];
    });
    if (left.length === 0 || performance.now() >= late) return left;
  }
}
