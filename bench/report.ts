/**
 * Measurements as a table for the terminal, and as the page that is kept.
 *
 * @module
 */
import { columns, printableLine } from '../words/columns.ts';
import type { Result } from './kept-results.ts';
import type { Measurement, Spread, Unit } from './measurement.ts';

const HEADING = ['figure', 'host', 'events', 'ours', 'beside', 'peer', 'ratio', 'target', ''];

export function table(measurements: readonly Measurement[]): string[] {
  return columns(measurements.map(cellsOf), HEADING).map((line) => printableLine(line));
}

/** The measurements of a figure. */
export interface Section {
  readonly title: string;
  readonly measurements: readonly Measurement[];
}

/** The results that are kept, as Markdown. */
export function page(results: readonly Result[]): string {
  return [
    '# Figures',
    '',
    'Written by `npm run bench`. Medians of the rounds, in brackets the least and the most;',
    'ours and a peer by turns in the same run. A host is seen `whole`, or it is the same host in a',
    'trace that began after its boot and misses some processes (`boot unseen`), or it boots every few',
    'dozen events (`short boots`: the recorded answers of a kernel, repeated). Questions are asked of an',
    'open log, after half as many that do not count; `cold open` has the first answer of a process.',
    '',
    ...verdicts(results.flatMap(({ measurements }) => measurements)),
    ...results.flatMap(sectionText),
    '![What an answer costs as a log grows](cost.svg)',
    '',
  ].join('\n');
}

/** How many targets were reached, and which were not. */
function verdicts(measurements: readonly Measurement[]): string[] {
  const judged = measurements.filter(({ reached }) => reached !== null);
  const missed = judged.filter(({ reached }) => reached === false);
  const reached = judged.length - missed.length;
  return [
    `${reached} of ${judged.length} targets were reached${missed.length > 0 ? '; missed:' : '.'}`,
    '',
    ...missed.map((one) => `- ${cellsOf(one).slice(0, 3).filter(Boolean).join(', ')}`),
    ...(missed.length > 0 ? [''] : []),
  ];
}

function sectionText({ title, measurements, day, machine, leftOut }: Result): string[] {
  const rows = [HEADING, HEADING.map(() => '---'), ...measurements.map(cellsOf)];
  const taken = [`${day}; ${machine}`, ...(leftOut.length > 0 ? [leftOutText(leftOut)] : [])];
  return [
    `## ${title}`,
    '',
    taken.join('; '),
    '',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ];
}

export function leftOutText(peers: readonly string[]): string {
  const names = peers.join(', ');
  return `left out, as not installed: ${names}; \`npm install --prefix bench\` adds them`;
}

function cellsOf(measurement: Measurement): string[] {
  const { figure, host, events, unit, ours, beside, peer, ratio, target, better, reached } =
    measurement;
  return [
    figure,
    host ?? '',
    events === null ? '' : countText(events),
    spreadText(ours, unit),
    beside,
    peer === null ? '' : spreadText(peer, unit),
    ratio === null ? '' : number(ratio),
    target === null ? '' : `${better === 'more' ? '>=' : '<='} ${target}`,
    reached === null ? '' : reached ? 'reached' : 'missed',
  ];
}

function spreadText({ median, min, max }: Spread, unit: Unit): string {
  const space = unit === 's' || unit === 'ms' || unit === 'MB' ? ' ' : '';
  const middle = `${number(median)}${space}${unit}`;
  return min === max ? middle : `${middle} (${number(min)}..${number(max)})`;
}

/** A length, told short. */
export function countText(events: number): string {
  if (events % 1_000_000 === 0) return `${events / 1_000_000}M`;
  return events % 1000 === 0 ? `${events / 1000}k` : String(events);
}

/** Three digits that count, and no fraction of what is more. */
function number(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))}M`;
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
