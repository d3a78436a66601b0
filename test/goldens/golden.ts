/**
 * Frozen answers: a short digest a part of an answer, in two columns, and how they are compared.
 *
 * @module
 */
import { hash } from 'node:crypto';
import { said, type Column, type KeyTree } from './key-paths.ts';
import { singular, type Part, type Question } from './questions.ts';

/** The digests of a verb's answers about one log, in the order of its questions. */
interface Digests {
  readonly facts: readonly string[];
  /** None where no answer has any words. */
  readonly words: readonly string[];
}

/** A log's frozen answers, by verb. */
export type Golden = ReadonlyMap<string, Digests>;

/** The keys of the answers, by verb. */
export type Keys = ReadonlyMap<string, KeyTree>;

export interface Difference {
  readonly log: string;
  readonly verb: string;
  readonly column: Column;
  /** The question, as it is asked. */
  readonly asked: string;
  /** Where the first difference lies in the log; null where the answer names no position. */
  readonly at: number | null;
  /** Which part of all the verb's answers. */
  readonly part: number;
  readonly what: 'differs' | 'is not there any more' | 'was not there';
}

/** A difference as a line: log, verb and position. */
export function differenceLine({ log, verb, column, asked, at, part, what }: Difference): string {
  const question = asked === '' ? verb : `${verb} ${asked}`;
  const where = at === null ? `part ${part}` : `position ${at}`;
  return `${log}: ${question}: ${where}: ${column}: ${what}`;
}

/** Events are chained: one that changes changes all that follow, so that two letters are enough. */
const widthOf = (verb: string): number => (verb === 'log' ? 2 : 4);

const EMPTY = '';

function digestOf(verb: string, part: Part, keys: Keys, column: Column): string {
  const tree = keys.get(verb);
  if (tree === undefined) throw new Error(`no keys of '${verb}' are frozen`);
  const text = said(part.value, tree, column);
  if (column === 'words' && text === EMPTY) return EMPTY;
  return hash('sha1', text, 'base64url').slice(0, widthOf(verb));
}

/** Digests of all answers. */
export function frozenFrom(questions: readonly Question[], keys: Keys): Golden {
  const golden = new Map<string, { facts: string[]; words: string[] }>();
  for (const { verb, ask } of questions) {
    const found = golden.get(verb) ?? { facts: [], words: [] };
    golden.set(verb, found);
    for (const part of ask()) {
      found.facts.push(digestOf(verb, part, keys, 'facts'));
      found.words.push(digestOf(verb, part, keys, 'words'));
    }
  }
  for (const found of golden.values()) {
    if (found.words.every((digest) => digest === EMPTY)) found.words = [];
  }
  return golden;
}

/** Which of a verb's questions are asked: all, or a part of those that can be asked alone. */
export type Choice = (verb: string, index: number, count: number) => boolean;
export const everything: Choice = () => true;

/** Every fiftieth `why`, and two positions. */
export const aPart: Choice = (verb, index, count) => {
  if (verb === 'why') return index % 50 === 0;
  return verb === 'table' && (index === Math.floor(count / 2) || index === count - 1);
};

/** What answers differ from those that are frozen: the first difference of each verb and column. */
export function differences(
  log: string,
  questions: readonly Question[],
  golden: Golden,
  keys: Keys,
  choice: Choice = everything,
): { readonly differences: readonly Difference[]; readonly compared: number } {
  const found: Difference[] = [];
  let compared = 0;
  const byVerb = Map.groupBy(questions, ({ verb }) => verb);
  for (const verb of new Set([...golden.keys(), ...byVerb.keys()])) {
    const asked = byVerb.get(verb) ?? [];
    const isWhole = choice(verb, -1, 0);
    if (!isWhole && !singular.has(verb)) continue;
    const comparison = new Comparison(log, verb, golden.get(verb), keys);
    for (const [index, question] of asked.entries()) {
      if (isWhole) for (const part of question.ask()) comparison.take(question, part);
      else if (choice(verb, index, asked.length)) comparison.single(question, index);
    }
    if (isWhole) comparison.end();
    compared += comparison.compared;
    found.push(...comparison.found.values());
  }
  return { differences: found, compared };
}

/** One verb's answers, as they come, beside those that are frozen. */
class Comparison {
  readonly found = new Map<Column, Difference>();
  compared = 0;
  readonly #log: string;
  readonly #verb: string;
  readonly #frozen: Digests;
  readonly #keys: Keys;
  #part = 0;
  #last: number | null = null;

  constructor(log: string, verb: string, frozen: Digests | undefined, keys: Keys) {
    this.#log = log;
    this.#verb = verb;
    this.#frozen = frozen ?? { facts: [], words: [] };
    this.#keys = keys;
  }

  take(question: Question, part: Part): void {
    this.#last = part.at;
    this.#compare(question, part, this.#part++);
  }

  single(question: Question, index: number): void {
    for (const part of question.ask()) this.#compare(question, part, index);
  }

  end(): void {
    if (this.#part >= this.#frozen.facts.length) return;
    this.#differ('facts', null, this.#last, this.#part, 'is not there any more');
  }

  #compare(question: Question, part: Part, index: number): void {
    this.compared++;
    const { facts, words } = this.#frozen;
    const isNew = index >= facts.length;
    const what = isNew ? 'was not there' : 'differs';
    if (isNew || facts[index] !== digestOf(this.#verb, part, this.#keys, 'facts')) {
      this.#differ('facts', question, part.at, index, what);
    }
    if (!isNew && (words[index] ?? EMPTY) !== digestOf(this.#verb, part, this.#keys, 'words')) {
      this.#differ('words', question, part.at, index, what);
    }
  }

  #differ(
    column: Column,
    question: Question | null,
    at: number | null,
    part: number,
    what: Difference['what'],
  ): void {
    if (this.found.has(column)) return;
    const { asked } = question ?? { asked: '' };
    this.found.set(column, { log: this.#log, verb: this.#verb, column, asked, at, part, what });
  }
}

const LINE = 96;

/**
 * Goldens as text: `log NAME`, then a heading `VERB COLUMN COUNT` a column, and its digests one after
 * the other. A dot stands for a part without words.
 */
export function goldensText(goldens: ReadonlyMap<string, Golden>): string {
  const lines: string[] = [];
  for (const [log, golden] of goldens) {
    lines.push(`log ${log}`);
    for (const [verb, digests] of golden) {
      for (const column of ['facts', 'words'] as const) {
        const some = digests[column];
        if (some.length === 0 && column === 'words') continue;
        lines.push(`${verb} ${column} ${some.length}`);
        const width = widthOf(verb);
        const text = some.map((digest) => digest.padEnd(width, '.')).join('');
        for (let at = 0; at < text.length; at += LINE) lines.push(` ${text.slice(at, at + LINE)}`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The reverse of `goldensText`. Throws for what is none. */
export function goldensIn(text: string): Map<string, Golden> {
  const goldens = new Map<string, Map<string, { facts: string[]; words: string[] }>>();
  let golden = new Map<string, { facts: string[]; words: string[] }>();
  let digests: string[] = [];
  let width = 4;
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith(' ')) {
      for (let at = 1; at < line.length; at += width) {
        digests.push(line.slice(at, at + width).replace(/\.+$/, EMPTY));
      }
      continue;
    }
    const [, log] = /^log (\S+)$/.exec(line) ?? [];
    const [, verb = '', column] = /^(\S+) (facts|words) \d+$/.exec(line) ?? [];
    if (log !== undefined) {
      golden = new Map();
      goldens.set(log, golden);
    } else if (column === 'facts' || column === 'words') {
      width = widthOf(verb);
      const found = golden.get(verb) ?? { facts: [], words: [] };
      golden.set(verb, found);
      digests = found[column];
    } else throw new Error(`no golden: '${line}'`);
  }
  return goldens;
}
