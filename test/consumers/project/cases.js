/**
 * A failing use of each matcher. Its whole text is in `texts/`, with `LOG` in the place of the kept log.
 */
import { readFileSync } from 'node:fs';

const device = '0000:00:02.0';

/** Replays a recorded incident: P1 keeps a device that P2 wants. `examples` is the package's folder. */
export async function incident(openLedger, examples) {
  const ledger = await openLedger(':memory:');
  const text = readFileSync(new URL('incident.truth.jsonl', examples), 'utf8');
  await ledger.import(text, { format: 'truth' });
  return ledger;
}

export const cases = [
  {
    name: 'owned by another',
    matcher: 'toBeOwnedBy',
    of: (ledger) => ledger.at(29).device(device),
    given: [{ pid: 102 }],
  },
  {
    name: 'owned by it all the same',
    matcher: 'toBeOwnedBy',
    not: true,
    of: (ledger) => ledger.at(29).group('1'),
    given: [{ comm: 'P1', via: 'fd' }],
  },
  {
    name: 'held by another',
    matcher: 'toBeHeldBy',
    of: (ledger) => ledger.at(24).device(device),
    given: [{ comm: 'P2' }],
  },
  {
    name: 'not unowned',
    matcher: 'toBeUnowned',
    of: (ledger) => ledger.at(25).group('1'),
    given: [],
  },
  {
    name: 'unowned of a copied answer',
    matcher: 'toBeUnowned',
    of: (ledger) => JSON.parse(JSON.stringify(ledger.at(25).group('1'))),
    given: [],
  },
  {
    name: 'an owner that is known',
    matcher: 'toHaveUnknownOwner',
    of: (ledger) => ledger.at(31).device(device),
    given: [],
  },
  {
    name: 'an invariant that holds',
    matcher: 'toSatisfyInvariant',
    not: true,
    of: (ledger) => ledger,
    given: ['one-context-per-group'],
  },
  {
    name: 'another refusal',
    matcher: 'toHaveRefused',
    of: (ledger) => ledger,
    given: [{ operation: 'bind', cause: 'owned-by-other-iommufd' }],
  },
  {
    name: 'what was not released',
    matcher: 'toReleaseEverything',
    of: (ledger) => ledger.between(21, 29),
    given: [],
  },
  {
    name: 'other rules',
    matcher: 'toConformTo',
    of: (ledger) => ledger,
    given: [{ profile: 'linux-6.1' }],
  },
];

/** A text of a failure, in which the path of the kept log differs from run to run. */
export function stable(message) {
  return message.replace(/--log \S+\.ledger/, '--log LOG');
}

/** The text of a case. */
export function textOf({ name }) {
  return readFileSync(new URL(`texts/${name.replaceAll(' ', '-')}.txt`, import.meta.url), 'utf8');
}

/** The message with which an assertion fails. */
export function failureOf(assertion) {
  try {
    assertion();
  } catch (error) {
    return `${stable(error.message)}\n`;
  }
  throw new Error('it passed');
}
