/**
 * The latest measurements of each figure at full length: `results.json`, and `results.md`, which is made
 * of it. A run of some figures replaces those, and leaves the others as they were.
 *
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { page, type Section } from './report.ts';

/** The measurements of a figure, and how they came about. */
export interface Result extends Section {
  /** The name of the figure's file. */
  readonly name: string;
  /** ISO 8601. */
  readonly day: string;
  readonly machine: string;
  /** Peers that were not installed. */
  readonly leftOut: readonly string[];
}

/** Puts a result in the place of the earlier one of its figure; `order` has the names of all figures. */
export function keepResult(folder: string, order: readonly string[], result: Result): void {
  const path = join(folder, 'results.json');
  const before = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as readonly Result[])
    : [];
  const kept = [...before.filter(({ name }) => name !== result.name), result];
  // A figure that is no longer taken has no results.
  const results = order.flatMap((name) => kept.filter((one) => one.name === name));
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(folder, 'results.md'), page(results));
}

/** What it was measured on. */
export function machineText(): string {
  const [first] = cpus();
  const model = first?.model ?? 'of an unknown model';
  return `${cpus().length} cores, ${model}; Node ${process.version}, ${process.platform} ${process.arch}`;
}
