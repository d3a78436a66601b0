/**
 * Prints a counterexample, and keeps it in files: its scenario, its topology and its log.
 *
 * @module
 */
import { keptScenario } from '../ledger/kept-scenario.ts';
import type { WrittenScenario } from '../scenario/written.ts';
import { counterexampleWords } from '../words/counterexample.ts';
import type { HostSettings } from './host-settings.ts';

/**
 * The text of a counterexample. `commands` are those that made the calls, if any. It is told also if
 * it cannot be kept: then the text says why.
 */
export function toldCounterexample(
  { topology, profile }: HostSettings,
  write: () => WrittenScenario,
  commands: readonly string[] = [],
): string {
  let written: WrittenScenario = { lines: [], processes: [], unwritten: null };
  const told = () => ({ profile, devices: topology.devices, commands, ...written });
  try {
    written = write();
    if (written.unwritten !== null) return counterexampleWords(told(), written.unwritten);
    const text = written.lines.map((line) => `${line}\n`).join('');
    return counterexampleWords(told(), keptScenario(text, { topology, profile }));
  } catch (error) {
    return counterexampleWords(told(), (error as Error).message);
  }
}
