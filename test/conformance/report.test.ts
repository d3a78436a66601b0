import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { confirmed } from '../../conformance/evidence.ts';
import { reasonFor } from '../../conformance/reasons.ts';
import { readmeWithSummary, reportText, unconfirmed } from '../../conformance/report.ts';

const read = (name: string): string =>
  readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

describe('the report', () => {
  const evidence = confirmed();

  test('is what the recorded answers say', () => {
    expect(read('conformance/REPORT.md')).toBe(reportText(evidence));
  });

  test('and so is its summary in README', () => {
    expect(readmeWithSummary(read('README.md'), evidence)).toBe(read('README.md'));
    expect(read('README.md')).toContain('transitions of a group');
  });

  test('says why of everything that no kernel has confirmed', () => {
    const unexplained = unconfirmed(evidence).filter(
      ({ profile, item }) => reasonFor(profile, item) === null,
    );
    expect(unexplained).toEqual([]);
  });

  test('gives no reason for what a kernel has confirmed after all', () => {
    const refuted = evidence.flatMap(({ profile, times }) =>
      [...times.keys()].filter((item) => reasonFor(profile, item) !== null),
    );
    expect(refuted).toEqual([]);
  });

  test('rests on answers that agree', () => {
    expect(evidence.map(({ profile, differing }) => [profile, differing])).toEqual(
      evidence.map(({ profile }) => [profile, 0]),
    );
  });
});
