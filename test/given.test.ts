/**
 * What callers without types may leave out, or give in its place, to any method of the library.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import { describe, expect, test } from 'vitest';
import { LedgerError, openLedger, readEvidence, type Ledger } from '../ledger.ts';

/** What may be given in the place of any argument; a list of none is left out in the call. */
const given: readonly (readonly unknown[])[] = [
  [],
  [null],
  [undefined, null],
  [undefined, undefined, null],
  [undefined, undefined, undefined, null],
  [Object.create(null), Object.create(null)],
  [{}, {}],
  [{ invariant: Object.create(null) }],
  [{ where: Symbol('x') }],
  [{ profile: Object.create(null) }],
  [Symbol('x'), Symbol('y'), Symbol('z')],
  [7n, 7n, 7n],
  [[null], [null], [null]],
];

type Methods = Readonly<Record<string, ((...args: readonly unknown[]) => unknown) | undefined>>;

/** The methods of an object, with those that its classes inherit. */
function methodsOf(object: object): string[] {
  const names = new Set<string>();
  for (let it = Object.getPrototypeOf(object) as object; it !== Object.prototype;) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(it))) {
      if (typeof value === 'function') names.add(name);
    }
    it = Object.getPrototypeOf(it) as object;
  }
  // What other parts of the program ask, with types.
  const own = ['constructor', 'close', 'find', 'findRange', 'forkAt', 'checkPosition'];
  own.push('keep', 'knowsHolders', 'lastEvents', 'ownerChange', 'attemptAs', 'happened');
  own.push('blocked');
  return [...names].filter((name) => !own.includes(name)).toSorted();
}

/** Calls a method with everything; fails where it meets anything but an answer or a sentence. */
async function callWithAll(object: object, name: string): Promise<void> {
  for (const args of given) {
    let met: unknown = null;
    try {
      const answer = await (object as Methods)[name]?.(...args);
      if (Object(answer) === answer && Symbol.asyncIterator in (answer as object)) {
        await (answer as AsyncGenerator).next();
      }
    } catch (error) {
      met = error;
    }
    if (met !== null && !(met instanceof LedgerError)) {
      expect.fail(`${name}(${args.map((arg) => typeof arg).join(', ')}): ${textGiven(met)}`);
    }
    if (met instanceof LedgerError) expect(met.message).not.toMatch(/undefined reading|\[object/);
  }
}

const trace = '7 1764150000.1 openat(AT_FDCWD, "/dev/vfio/26", O_RDWR) = -1 EBUSY (busy)\n';

async function opened(): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.import(trace);
  return ledger;
}

const ledgerMethods = methodsOf(await opened());
const momentMethods = methodsOf((await opened()).at());
const forkMethods = methodsOf((await opened()).at().fork());

describe('whatever a method is given, or not given, it answers or says what it takes', () => {
  test.each(ledgerMethods)('ledger.%s', async (name) => {
    await callWithAll(await opened(), name);
  });

  test.each(momentMethods)('ledger.at().%s', async (name) => {
    await callWithAll((await opened()).at(), name);
  });

  test.each(forkMethods)('ledger.at().fork().%s', async (name) => {
    await callWithAll((await opened()).at().fork(), name);
  });

  test('openLedger and readEvidence', async () => {
    await callWithAll({ __proto__: { openLedger } }, 'openLedger');
    await callWithAll({ __proto__: { readEvidence } }, 'readEvidence');
  });
});

test.each([
  ['bisect', 'bisect: give either an invariant or an expression'],
  ['replay', "replay takes an object with a profile, not 'undefined'"],
  ['follow', "follow takes its settings as an object, not 'undefined'"],
  ['importSources', "importSources takes an array of sources, not 'undefined'"],
] as const)('%s without an argument says: %s', async (name, says) => {
  const ledger = (await opened()) as never as Methods;
  await expect(async () => ledger[name]?.()).rejects.toThrow(says);
});
