/**
 * A kernel that performs sequences while it is recorded: its answers, and what the recorder has.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventJson } from '../../cli/event-row.ts';
import type { Sequence } from '../../host/simulation.ts';
import { openLedger } from '../../ledger.ts';
import type { Profile } from '../../machines/profile.ts';
import { bootOnce } from '../guest.ts';
import { hostNamed } from '../host.ts';
import { overlay, type Mode } from './overlay.ts';
import { joined } from './sequence.ts';

/** What came of it. */
export interface RecordedRun {
  readonly mode: Mode;
  /** A truth file: the topology, then the answers. */
  readonly answers: string;
  /** The trace, or the events of the log as `export` prints them. */
  readonly recorded: string;
}

const memory = { trace: '256M', log: '512M' } as const;
/** What the recorder takes to stop, and to send what it has. */
const END_MS = 120_000;

/** Rejects where the guest fails. */
export async function recordedRun(
  profile: Profile,
  mode: Mode,
  sequences: readonly Sequence[],
  tell: (text: string) => void,
): Promise<RecordedRun> {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-recorded-'));
  try {
    const output = join(folder, 'host.ledger');
    const companion = { entries: overlay(mode), output, memory: memory[mode], endMs: END_MS };
    const guest = await bootOnce(profile, hostNamed('standard'), { onProgress: tell, companion });
    const lines = [guest.topologyLine];
    try {
      const sequence = joined('recorded', sequences, guest.topology);
      tell(`${profile}: performs ${sequence.operations.length} operations`);
      const answers = await guest.perform(sequence);
      lines.push(...answers.map(({ line }) => line));
    } finally {
      await guest.close();
    }
    const recorded = mode === 'log' ? await eventsIn(output) : readFileSync(output, 'utf8');
    return { mode, answers: `${lines.join('\n')}\n`, recorded };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function eventsIn(log: string): Promise<string> {
  const ledger = await openLedger(log, { readOnly: true });
  const lines = [...ledger.each()].map((event) => eventJson(event));
  const end = { events: ledger.length, head: `${ledger.head.position}:${ledger.head.hash}` };
  await ledger.close();
  return `${[...lines, JSON.stringify({ end })].join('\n')}\n`;
}
