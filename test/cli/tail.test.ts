import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { openLedger } from '../../ledger.ts';
import { newFolderIn, temporaryFolder } from '../log/folder.ts';
import { closed, closedMany } from '../log/sample.ts';
import { run } from './program.ts';

const folder = temporaryFolder();

/** A log with three events, a ledger over it, and `tail` as a process. */
async function followed(...args: string[]) {
  const path = join(newFolderIn(folder), 'log.ledger');
  const ledger = await openLedger(path, { host: 'a' });
  await ledger.append(-1, closedMany(3));
  const tail = spawn(process.execPath, [inject('program'), 'tail', ...args, '--log', path]);
  onTestFinished(async () => {
    tail.kill('SIGKILL');
    await ledger.close();
  });
  const err = createInterface(tail.stderr);
  const out = createInterface(tail.stdout)[Symbol.asyncIterator]();
  const upToDate = once(err, 'line');
  return { ledger, tail, path, upToDate, next: async () => String((await out.next()).value) };
}

test('prints what is appended, by whatever process, and ends with 0 at SIGINT', async () => {
  const { ledger, tail, upToDate, next } = await followed();
  expect(await upToDate).toEqual(['vfio-ledger: up to date at position 2']);
  await ledger.append(2, [closed('x', 7, '2026-01-02T03:04:05Z')]);
  expect(await next()).toMatch(/^3 {7}2026-01-02T03:04:05\.000000Z {2}descriptor\.closed /);
  await ledger.append(3, [closed('y', 8)]);
  expect(await next()).toMatch(/^4 {7}- +descriptor\.closed /);
  tail.kill('SIGINT');
  expect(await once(tail, 'close')).toEqual([0, null]);
});

test('begins where it is told, and says in JSON how far behind each line is', async () => {
  const { ledger, next } = await followed('--from', '1', '--json');
  expect(JSON.parse(await next())).toMatchObject({ position: 1, id: 'e1', behind: 1 });
  expect(JSON.parse(await next())).toMatchObject({ position: 2, id: 'e2', behind: 0 });
  await ledger.append(2, closedMany(2, 3));
  expect(JSON.parse(await next())).toMatchObject({ position: 3, behind: 1 });
  expect(JSON.parse(await next())).toMatchObject({ position: 4, behind: 0 });
});

test('of a subject prints only its events', async () => {
  const { ledger, upToDate, next } = await followed('pid:100', '--json');
  await upToDate;
  const data = { pid: 7, fd: 3 };
  const other: LedgerEvent = { id: 'x', time: null, type: 'descriptor.closed', data };
  await ledger.append(2, [other, closed('y')]);
  expect(JSON.parse(await next())).toMatchObject({ id: 'y', position: 4 });
});

test('ends when nobody reads any more', async () => {
  const { ledger, tail, upToDate } = await followed();
  await upToDate;
  tail.stdout.destroy();
  const ended = once(tail, 'close');
  await ledger.append(2, closedMany(2, 3));
  expect((await ended)[0]).toBe(0);
});

test('of a log, a subject or a moment that is not there is exit 2', async () => {
  const { path } = await followed();
  for (const args of [['nobody'], ['--from', '9']]) {
    expect(await run(['tail', ...args, '--log', path])).toMatchObject({ code: 2, out: '' });
  }
  expect(await run(['tail', '--log', `${path}.none`])).toMatchObject({ code: 2, out: '' });
});

test('stops after the time that it is given', async () => {
  const { path } = await followed();
  const { code, out } = await run(['tail', '--from', 'start', '--for', '0.3', '--log', path]);
  expect([code, out.split('\n').length]).toEqual([0, 4]);
});
