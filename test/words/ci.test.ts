import { expect, test } from 'vitest';
import { junitText } from '../../words/ci.ts';

const job = {
  command: ['true'],
  exit: { code: 0, signal: null },
  before: null,
  held: [],
  refused: [],
};

test.each([
  [0, '<testcase classname="vfio-ledger" name="every VFIO file is released"/>'],
  [1, '<skipped message="1 line of the trace could not be read"/>'],
])('of a trace with %d lines that cannot be read, the release of every file', (count, told) => {
  expect(junitText({ ...job, rejectedCount: count })).toContain(told);
});
