/**
 * Runs a command beside a tracer of the whole host, and tells its processes from those of others.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../ledger.ts';
import { Command, type RunOptions, type TracedCommand } from './command.ts';
import { statusOf, type RunningProcess } from './running-processes.ts';
import { snapshotBeside } from './snapshot.ts';
import { RunningTracer, type HostTracer } from './tracer.ts';

const POLL_MS = 20;
/** A fork as `bpftrace -f json` prints it: parent and child. */
const FORK = /\\"pid\\":(\d+),.*\\"ev\\":\\"fork\\",\\"child\\":(\d+)/;

/**
 * Records how the host stands, and then what happens on it until a command has ended. Rejects with
 * `TracerError` if the tracer does not attach.
 */
export async function runBesideTracer(
  ledger: Ledger,
  hostTracer: HostTracer,
  command: readonly string[],
  { patienceMs, root, beforeCommand }: RunOptions,
): Promise<TracedCommand> {
  const pids = new Set<number>();
  const tracer = new RunningTracer(hostTracer, (line) => {
    const [, parent, child] = FORK.exec(line) ?? [];
    if (pids.has(Number(parent))) pids.add(Number(child));
  });
  try {
    await tracer.attached(new AbortController().signal);
    await snapshotBeside(tracer, ledger, root);
    beforeCommand?.();
    const after = ledger.head.position;
    const followed = ledger.follow(tracer.lines, {
      format: 'bpftrace',
      isThisHost: root === undefined,
    });
    // If appending fails the command still runs to its end.
    followed.catch(() => {});
    const { pid, ended } = new Command(command);
    if (pid !== null) pids.add(pid);
    const exit = await ended;
    await tracer.arrived();
    const left = await stillRunning(pids, patienceMs);
    await tracer.stop();
    return { exit, after, report: await followed, left, pids: [...pids] };
  } finally {
    await tracer.stop();
  }
}

/** Those of some processes that have not ended after a while; returns earlier once all have. */
async function stillRunning(
  pids: ReadonlySet<number>,
  patienceMs: number,
): Promise<RunningProcess[]> {
  for (const late = performance.now() + patienceMs; ; await sleep(POLL_MS)) {
    const running = [...pids].flatMap((pid) => {
      const status = statusOf(pid);
      return status === null ? [] : [{ pid, comm: status.comm }];
    });
    if (running.length === 0 || performance.now() >= late) return running;
  }
}
