/**
 * What a test expects of a holder or a refusal, and whether a row of an answer is that. A value that the
 * evidence does not show may be any: then it is not known.
 *
 * @module
 */
import { nearestClause } from '../events/nearest.ts';
import type { Holder } from '../projections/shapes.ts';
import type { RefusedCall } from '../projections/activity.ts';
import type { Operation } from '../events/vocabulary.ts';

/**
 * An asymmetric matcher of any runner, such as `expect.any(Number)`. Every one has the method; the type
 * that Playwright gives its own names none.
 */
export interface AsymmetricMatch {
  asymmetricMatch?(other: unknown): boolean;
}

/** A value that was found to be one. */
type FoundAsymmetric = Required<AsymmetricMatch>;

type PatternOf<T> = {
  readonly [K in keyof T]?: T[K] | AsymmetricMatch | undefined;
};

/** The keys of a holder that are named must be equal to these, or match these. */
export type HolderPattern = PatternOf<Holder> | AsymmetricMatch;

/** A refused call, as far as tests ask for it. */
interface AskedRefusal extends Pick<
  RefusedCall,
  'cause' | 'pid' | 'comm' | 'group' | 'device' | 'path'
> {
  readonly operation: Operation;
  readonly errno: `E${string}` | null;
}

/** As `HolderPattern`, of a refused call. */
export type RefusalPattern = RefusalKeys | AsymmetricMatch;

export type RefusalKeys = PatternOf<AskedRefusal>;

/** The keys that a pattern names; none if it is an asymmetric matcher. */
export function keysNamed(pattern: RefusalPattern): RefusalKeys {
  return isAsymmetric(pattern) ? {} : (pattern as RefusalKeys);
}

/** The answer to a yes-no question about evidence. */
export type Tristate = 'yes' | 'no' | 'not-known';

const holderKeys: ReadonlySet<string> = new Set<keyof Holder>([
  'pid',
  'comm',
  'cgroup',
  'via',
  'fd',
  'file',
]);

const refusalKeys: ReadonlySet<string> = new Set<keyof AskedRefusal>([
  'operation',
  'errno',
  'cause',
  'pid',
  'comm',
  'group',
  'device',
  'path',
]);

/** Why a value is no pattern of a holder; null if it is one. */
export function noHolderPattern(given: unknown): string | null {
  return noPattern(given, holderKeys, '{ pid: 4711 }');
}

/** Why a value is no pattern of a refusal; null if it is one. */
export function noRefusalPattern(given: unknown): string | null {
  return noPattern(given, refusalKeys, "{ operation: 'bind' }");
}

/** Whether any of the holders matches. */
export function anyHolder(holders: readonly Holder[], pattern: HolderPattern): Tristate {
  return anyOf(holders.map((holder) => matches(holder, pattern, unshownOfHolder(holder))));
}

/** Whether a refused call matches. */
export function isRefusal(call: RefusedCall, pattern: RefusalPattern): Tristate {
  const shown = ['operation'];
  const unshown = [...refusalKeys].filter((key) => {
    const value = call[key as keyof RefusedCall];
    return !shown.includes(key) && (value === null || (key === 'cause' && value === 'unknown'));
  });
  return matches(call, pattern, new Set(unshown));
}

/** `yes` if any is, else `not-known` if any may be. */
export function anyOf(answers: readonly Tristate[]): Tristate {
  if (answers.includes('yes')) return 'yes';
  return answers.includes('not-known') ? 'not-known' : 'no';
}

/** The keys of a holder whose value the evidence does not show. A file in the kernel has no process. */
function unshownOfHolder(holder: Holder): ReadonlySet<string> {
  if (holder.via === 'kernel') return new Set();
  const keys: (keyof Holder)[] = ['pid', 'comm', 'cgroup'];
  if (holder.via === 'fd') keys.push('fd');
  return new Set(keys.filter((key) => holder[key] === null));
}

function matches(row: object, pattern: object, unshown: ReadonlySet<string>): Tristate {
  if (isAsymmetric(pattern)) return matchesAsked(row, pattern, unshown);
  let answer: Tristate = 'yes';
  for (const [key, expected] of Object.entries(pattern)) {
    if (expected === undefined) continue;
    const value: unknown = Reflect.get(row, key);
    const isEqual = !isAsymmetric(expected) && Object.is(value, expected);
    if (unshown.has(key) && !isEqual) answer = 'not-known';
    else if (!isEqual && !(isAsymmetric(expected) && expected.asymmetricMatch(value))) return 'no';
  }
  return answer;
}

/** Asks an asymmetric matcher; its answer counts if it has looked at no key that is not shown. */
function matchesAsked(
  row: object,
  pattern: FoundAsymmetric,
  unshown: ReadonlySet<string>,
): Tristate {
  let hasLooked = false;
  const watched = new Proxy(row, {
    get(target, key): unknown {
      hasLooked ||= unshown.has(String(key));
      return Reflect.get(target, key);
    },
  });
  const isMatch = pattern.asymmetricMatch(watched);
  if (hasLooked) return 'not-known';
  return isMatch ? 'yes' : 'no';
}

function isAsymmetric(value: unknown): value is FoundAsymmetric {
  if (typeof value !== 'object' || value === null) return false;
  return 'asymmetricMatch' in value && typeof value.asymmetricMatch === 'function';
}

function noPattern(given: unknown, keys: ReadonlySet<string>, example: string): string | null {
  if (isAsymmetric(given)) return null;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return `it takes an object such as ${example}, or an asymmetric matcher`;
  }
  const wrong = Object.keys(given).find((key) => !keys.has(key));
  if (wrong === undefined) return null;
  return `there is no key '${wrong}': ${[...keys].join(', ')}${nearestClause(wrong, [...keys])}`;
}
