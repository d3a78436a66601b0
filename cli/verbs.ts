/**
 * Lists the verbs, in the order of the help. Each is loaded when it is called.
 *
 * @module
 */
import type { Verb } from './verb.ts';

export const verbs: ReadonlyMap<string, () => Promise<Verb>> = new Map([
  ['simulate', async () => (await import('./simulate.ts')).simulate],
  ['import', async () => (await import('./import.ts')).importEvidence],
  ['snapshot', async () => (await import('./snapshot.ts')).snapshot],
  ['record', async () => (await import('./record.ts')).record],
  ['run', async () => (await import('./run.ts')).run],
  ['log', async () => (await import('./log.ts')).log],
  ['tail', async () => (await import('./tail.ts')).tail],
  ['table', async () => (await import('./table.ts')).table],
  ['who', async () => (await import('./who.ts')).who],
  ['history', async () => (await import('./history.ts')).history],
  ['attest', async () => (await import('./attest.ts')).attest],
  ['why', async () => (await import('./why.ts')).why],
  ['diff', async () => (await import('./diff.ts')).diff],
  ['bisect', async () => (await import('./bisect.ts')).bisect],
  ['replay', async () => (await import('./replay.ts')).replay],
  ['verify', async () => (await import('./verify.ts')).verify],
  ['seal', async () => (await import('./seal.ts')).seal],
  ['retain', async () => (await import('./retain.ts')).retain],
  ['push', async () => (await import('./ship.ts')).push],
  ['pull', async () => (await import('./ship.ts')).pull],
  ['causes', async () => (await import('./causes.ts')).causes],
  ['rules', async () => (await import('./rules.ts')).rules],
  ['machine', async () => (await import('./machine.ts')).machine],
  ['export', async () => (await import('./export.ts')).exportLog],
]);
