import { expect, test } from 'vitest';
import type { Fact, Placed } from '../../events/vocabulary.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { noteSubjects } from '../../projections/subjects.ts';

/** The subjects of the last of some facts, each once, in order. */
function subjectsOfLast(...facts: readonly Fact[]): string[] {
  const host = new LiveHost();
  const events = facts.map((fact, position) => ({ ...fact, position }) as Placed<Fact>);
  const last = events.pop()!;
  for (const event of events) host.take(event);
  const found = new Set<string>();
  noteSubjects(host, last, (kind, id) => found.add(`${kind} ${id}`));
  return [...found].toSorted();
}

const started: Fact = {
  type: 'process.started',
  data: { pid: 7, comm: 'qemu', cgroup: null },
};
const opened: Fact = { type: 'iommufd.opened', data: { pid: 7, fd: 3, cloexec: true } };

test('a descriptor that is passed concerns both processes and its file', () => {
  const passed: Fact = { type: 'descriptor.passed', data: { pid: 7, fd: 3, to: 8, as: 5 } };
  expect(subjectsOfLast(started, opened, passed)).toEqual(['file f1', 'process 7', 'process 8']);
});

test('the position up to which events were removed is no process', () => {
  const data = { to: 7, hash: '0'.repeat(64), at: '2026-11-26T10:00:00Z' };
  expect(subjectsOfLast(started, { type: 'history.removed', data })).toEqual([]);
  expect(subjectsOfLast(started, { type: 'history.archived', data })).toEqual([]);
});

test('the descriptors that a process starts with are no files of the log', () => {
  const closed: Fact = { type: 'descriptor.closed', data: { pid: 7, fd: 0 } };
  expect(subjectsOfLast(started, closed)).toEqual(['process 7']);
  const exited: Fact = { type: 'process.exited', data: { pid: 7, signal: null } };
  expect(subjectsOfLast(started, opened, exited)).toEqual(['file f1', 'process 7']);
});
