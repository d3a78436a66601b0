/**
 * Pastes that somebody wrote who had not written the reader, and what each must give: see README.md.
 *
 * @module
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLedger, type ImportSettings, type Ledger } from '../../../ledger.ts';

type Fact = readonly [question: string, path: string, want: unknown];
type Wanted = readonly [
  operation: string,
  errno: string | null,
  cause: string,
  data?: Readonly<Record<string, unknown>>,
];

interface Variant {
  readonly name: string;
  readonly lines: readonly string[];
  readonly settings?: ImportSettings;
  readonly refusals?: readonly Wanted[];
  readonly facts?: readonly Fact[];
}

const kinds = globSync(join(import.meta.dirname, '*.json')).toSorted();

test('there are variants of each kind, each under a name of its own', () => {
  expect(kinds.length).toBeGreaterThan(4);
  for (const file of kinds) {
    const names = variantsOf(file).map(({ name }) => name);
    expect(names, file).not.toEqual([]);
    expect(new Set(names).size, file).toBe(names.length);
    for (const { refusals, facts } of variantsOf(file)) {
      expect([refusals, facts], file).not.toEqual([undefined, undefined]);
    }
  }
});

describe.each(kinds.map((file) => [basename(file, '.json'), variantsOf(file)] as const))(
  '%s',
  (_kind, variants) => {
    test.each(variants)('$name', async ({ lines, settings = {}, refusals, facts = [] }) => {
      const ledger = await openLedger(':memory:');
      await ledger.import(lines.join('\n'), settings);
      if (refusals !== undefined) expectRefusals(ledger, refusals);
      for (const [question, path, want] of facts) {
        const got = at(answerOf(ledger, question), path);
        expect(fits(got, want), `${question}: ${path} is ${JSON.stringify(got)}`).toBe(true);
      }
    });
  },
);

function variantsOf(file: string): readonly Variant[] {
  return JSON.parse(readFileSync(file, 'utf8')) as readonly Variant[];
}

function expectRefusals(ledger: Ledger, wanted: readonly Wanted[]): void {
  const found = ledger.log({ refused: true });
  const told = found.map(({ data }) => JSON.stringify(data)).join('\n');
  expect(found.length, told).toBe(wanted.length);
  for (const [index, [operation, errno, cause, data = {}]] of wanted.entries()) {
    const event = found[index]!;
    const has: Readonly<Record<string, unknown>> = { ...event.data, time: event.time };
    expect(fits(has['operation'], operation), told).toBe(true);
    expect(fits(has['errno'], errno), told).toBe(true);
    for (const [key, want] of Object.entries(data)) {
      expect(fits(has[key], want), `${key} is ${JSON.stringify(has[key])}`).toBe(true);
    }
    const why = ledger.why(event.position).cause;
    if (cause !== '*') expect(cause.split('|'), told).toContain(why);
  }
}

function answerOf(ledger: Ledger, question: string): unknown {
  const [verb = '', subject = ''] = question.split(' ');
  switch (verb) {
    case 'who':
      return ledger.who(subject);
    case 'why':
      return ledger.why(subject);
    case 'log':
      return ledger.log(subject === '' ? {} : { subject });
    case 'history':
      return ledger.history(subject);
    case 'table':
      return ledger.at('end').table();
    default:
      throw new Error(`no question '${verb}'`);
  }
}

/** The part of an answer that a path leads to: `a.0.b`, `list[key=value].c`, `list.length`. */
function at(answer: unknown, path: string): unknown {
  let found = answer;
  for (const step of path.match(/[^.[]+(?:\[[^\]]*\])?/g) ?? []) {
    const [, list = step, key = '', value = ''] = /^(\w+)\[(\w+)=([^\]]+)\]$/.exec(step) ?? [];
    const inner = (found as Readonly<Record<string, unknown>> | null | undefined)?.[list];
    found =
      key === ''
        ? inner
        : (inner as readonly Readonly<Record<string, unknown>>[] | undefined)?.find(
            (row) => String(row[key]) === value,
          );
  }
  return found;
}

function fits(got: unknown, want: unknown): boolean {
  const text = JSON.stringify(got ?? null);
  if (typeof want !== 'string') return text === JSON.stringify(want);
  if (want.startsWith('!~')) return !new RegExp(want.slice(2), 'i').test(text);
  if (want.startsWith('~')) return new RegExp(want.slice(1), 'i').test(text);
  if (want.startsWith('in:')) return want.slice(3).split('|').includes(String(got));
  return got === want;
}
