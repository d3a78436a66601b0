import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Ledger, openLedger } from '../../ledger.ts';
import { memoryStore } from '../../log/memory.ts';
import { replicaOf } from '../../log/replica.ts';
import type { Engine } from '../../log/engine.ts';
import { engineOf } from '../../log/store-engine.ts';
import { fated, limited } from '../log/faulty-engine.ts';

const incident = readFileSync(
  new URL('../../examples/incident.truth.jsonl', import.meta.url),
  'utf8',
);
const settings = { format: 'truth' };

async function over(engine: Engine): Promise<Ledger> {
  const ledger = new Ledger(replicaOf(engine, memoryStore()), 'host');
  await ledger.refresh();
  return ledger;
}

/** The log as it is on one machine. */
async function undisturbed() {
  const ledger = await openLedger(':memory:');
  await ledger.import(incident, settings);
  return ledger.log();
}

describe('a ledger over an engine', () => {
  test('imports and answers as one over a file', async () => {
    const engine = engineOf(memoryStore(), 'memory');
    const ledger = await over(engine);
    await ledger.import(incident, settings);
    expect(ledger.log()).toEqual(await undisturbed());
    const other = await over(engine);
    expect(other.at('end').table()).toEqual(ledger.at('end').table());
    expect(other.verify().faults).toEqual([]);
  });

  test('imports in parts what is too large for one append, and goes on after a failure', async () => {
    const expected = await undisturbed();
    const store = memoryStore();
    const engine = engineOf(store, 'memory');
    const failing = await over(
      limited(fated(engine, ['made', 'unanswered', 'made', 'made', 'refuses']), 600),
    );
    await expect(failing.import(incident, settings)).rejects.toMatchObject({ code: 'unavailable' });
    const { position } = await store.head('host');
    expect(position).toBeGreaterThan(0);
    expect(position).toBeLessThan(expected.length - 1);
    const again = await over(limited(engine, 600));
    const { appended, skipped } = await again.import(incident, settings);
    expect(appended + skipped).toBe(expected.length);
    expect(again.log()).toEqual(expected);
    expect(await again.import(incident, settings)).toMatchObject({ appended: 0 });
  });

  test('says what is too large to be appended at all', async () => {
    const ledger = await over(limited(engineOf(memoryStore(), 'memory'), 10));
    await expect(ledger.import(incident, settings)).rejects.toMatchObject({
      code: 'too-large',
      limit: 10,
    });
  });
});
