import { expect, test } from 'vitest';
import type { ProcessLabel } from '../../../projections/index/process-spans.ts';
import { oncePerLabel } from '../../../projections/attest/labels.ts';

test('processes that are called the same are said once, and no others, whatever their names hold', () => {
  const called: Omit<ProcessLabel, 'pid'>[] = [
    { comm: 'a', cgroup: '/x', vm: 'v' },
    { comm: 'a\0=/x', cgroup: null, vm: 'v' },
    { comm: 'a', cgroup: '/x\0stringv', vm: 'w' },
    { comm: 'a', cgroup: '/x', vm: 'v\0stringw' },
    { comm: 'a', cgroup: 'null', vm: false },
    { comm: 'a', cgroup: null, vm: false },
    { comm: 'a', cgroup: null, vm: null },
    { comm: 'a', cgroup: null, vm: 'null' },
  ];
  const said = oncePerLabel([], (process) => JSON.stringify({ ...process, pid: 0 }));
  const labels = called.map((label, at) => said({ ...label, pid: at }));
  expect(labels).toEqual(called.map((label) => JSON.stringify({ ...label, pid: 0 })));
});
