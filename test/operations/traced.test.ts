import { expect, test } from 'vitest';
import { rowOf } from '../../operations/table.ts';
import type { TracedWords } from '../../operations/traced-words.ts';

const place = { pid: 1, fd: 3 };
const traced = (
  operation: 'attach' | 'detach' | 'alloc_hwpt' | 'compat_ioas',
  words: TracedWords,
) => {
  const { operation: _, ...rest } = rowOf(operation).traced?.(place, words) ?? {};
  return rest;
};

test.each([
  ['attach', { pt: 2, argsz: 12, flags: 0, pasid: 5 }, { pt: 2, argsz: 12, flags: 0 }],
  ['attach', { pt: 2, argsz: 16, flags: 1, pasid: 5 }, { pt: 2, argsz: 16, flags: 1, pasid: 5 }],
  ['attach', { pt: 2, argsz: 16, flags: 1 }, { pt: 2, argsz: 16, flags: 1, pasid: null }],
  ['detach', { argsz: 12, flags: 1, pasid: 0 }, { argsz: 12, flags: 1, pasid: 0 }],
  ['alloc_hwpt', { pt: 2, flags: 8 }, { device: null, pt: 2, flags: 8 }],
  ['alloc_hwpt', {}, { device: null, pt: null }],
  ['compat_ioas', { op: 1, ioas: 2 }, { action: 'set', ioas: 2 }],
  ['compat_ioas', { op: 0, ioas: 2 }, { action: 'get', ioas: -1 }],
  ['compat_ioas', { op: 2, ioas: 0 }, { action: 'clear', ioas: -1 }],
  ['compat_ioas', {}, { action: null, ioas: null }],
] as const)('%s, of which a trace shows %j', (operation, words, shown) => {
  expect(traced(operation, words)).toEqual({ ...place, ...shown });
});
