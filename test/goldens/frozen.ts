/**
 * Where goldens lie: `frozen/SET.txt`, and `frozen/keys.txt` with the keys that count.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  differences,
  everything,
  frozenFrom,
  goldensIn,
  goldensText,
  type Choice,
  type Difference,
  type Golden,
  type Keys,
} from './golden.ts';
import { addKeys, emptyTree, pathsOf, treeOf, type KeyTree } from './key-paths.ts';
import { sets, type FrozenLog, type FrozenSet } from './logs.ts';
import { questionsOf, type Question } from './questions.ts';

const folder = join(import.meta.dirname, 'frozen');
const keysFile = join(folder, 'keys.txt');
const fileOf = ({ name }: FrozenSet) => join(folder, `${name}.txt`);

/** The keys that were frozen, by verb. */
export function frozenKeys(): Keys {
  const lines = readFileSync(keysFile, 'utf8').trimEnd().split('\n');
  const byVerb = Map.groupBy(lines, (line) => line.slice(0, line.indexOf(' ')));
  return new Map(
    [...byVerb].map(([verb, some]) => [verb, treeOf(some.map((l) => l.slice(verb.length + 1)))]),
  );
}

/** Everything that is asked of a log. */
async function askedOf<T>(log: FrozenLog, act: (questions: Question[]) => T): Promise<T> {
  return log.use(async (ledger, more) => act([...more, ...questionsOf(ledger)]));
}

const ENOUGH = 300;

/** Goes through the answers of sets and keeps their keys. */
export async function freezeKeys(
  some: readonly FrozenSet[],
  tell: (text: string) => void,
): Promise<void> {
  const keys = new Map<string, KeyTree>();
  for (const set of some) {
    for (const log of set.logs()) {
      tell(log.name);
      await askedOf(log, (questions) => {
        for (const [verb, asked] of Map.groupBy(questions, (question) => question.verb)) {
          const tree = keys.get(verb) ?? emptyTree();
          keys.set(verb, tree);
          // Answers to the same question about thousands of subjects have the same keys.
          const step = Math.ceil(asked.length / ENOUGH);
          for (const [index, { ask }] of asked.entries()) {
            if (index % step === 0) for (const { value } of ask()) addKeys(tree, value);
          }
        }
      });
    }
  }
  const lines = [...keys].flatMap(([verb, tree]) => pathsOf(tree).map((path) => `${verb} ${path}`));
  mkdirSync(folder, { recursive: true });
  writeFileSync(keysFile, `${lines.toSorted().join('\n')}\n`);
}

/** Freezes the answers of a set as they are today, under the keys that are frozen. */
export async function freeze(set: FrozenSet, tell: (text: string) => void): Promise<void> {
  const keys = frozenKeys();
  const goldens = new Map<string, Golden>();
  for (const log of set.logs()) {
    tell(log.name);
    goldens.set(log.name, await askedOf(log, (questions) => frozenFrom(questions, keys)));
  }
  writeFileSync(fileOf(set), goldensText(goldens));
}

interface ComparisonOptions {
  /** Of so many logs of a set one; all when left out. */
  readonly every?: number;
  readonly choice?: Choice;
  readonly tell?: (text: string) => void;
  /** Ends with the first log of which any answer differs. */
  readonly stopsEarly?: boolean;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  readonly logs: number;
  /** Parts of answers. */
  readonly compared: number;
}

/** What the answers of today differ from those of a set that are frozen. */
export async function compare(
  set: FrozenSet,
  { every = 1, choice = everything, tell = () => {}, stopsEarly = false }: ComparisonOptions = {},
): Promise<Comparison> {
  const keys = frozenKeys();
  const goldens = goldensIn(readFileSync(fileOf(set), 'utf8'));
  const logs = set.logs();
  const found: Difference[] = [];
  let compared = 0;
  const some = logs.length > every ? logs.filter((_, index) => index % every === 0) : logs;
  for (const log of some) {
    tell(log.name);
    const golden = goldens.get(log.name);
    if (golden === undefined) throw new Error(`${log.name} has no golden in ${fileOf(set)}`);
    const one = await askedOf(log, (questions) =>
      differences(log.name, questions, golden, keys, choice),
    );
    found.push(...one.differences);
    compared += one.compared;
    if (stopsEarly && found.length > 0) break;
  }
  const gone = [...goldens.keys()].filter((name) => !logs.some((log) => log.name === name));
  if (gone.length > 0) throw new Error(`${gone.join(', ')}: frozen, and not there any more`);
  return { differences: found, logs: some.length, compared };
}

/** The sets of some names; all where none is named. Throws for an unknown one. */
export function setsNamed(names: readonly string[]): readonly FrozenSet[] {
  if (names.length === 0) return sets;
  return names.map((name) => {
    const set = sets.find((known) => known.name === name);
    if (set !== undefined) return set;
    throw new Error(`no set '${name}'; there are ${sets.map((known) => known.name).join(', ')}`);
  });
}

/** Whether a set was ever frozen. */
export const isFrozen = (set: FrozenSet): boolean => existsSync(fileOf(set));
