import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readAhead } from '../../log/read-ahead.ts';

/** Numbers up to a count, then an error if there is one. What happens goes to a list. */
async function* numbers(count: number, happened: string[], error?: Error) {
  try {
    for (let n = 0; n < count; n++) {
      happened.push(`read ${n}`);
      yield n;
    }
    if (error !== undefined) throw error;
  } finally {
    happened.push('ended');
  }
}

test('the next value is read while the last one is worked on, and not before that began', async () => {
  const happened: string[] = [];
  for await (const n of readAhead(numbers(3, happened))) {
    happened.push(`begun ${n}`);
    for (let turn = 0; turn < 3; turn++) await setImmediate();
    happened.push(`done ${n}`);
  }
  expect(happened.join(', ')).toBe(
    'read 0, begun 0, read 1, done 0, begun 1, read 2, done 1, begun 2, ended, done 2',
  );
});

test('an error comes after all values before it', async () => {
  const seen: number[] = [];
  const reading = (async () => {
    for await (const n of readAhead(numbers(2, [], new Error('damaged')))) {
      await setImmediate();
      await setImmediate();
      seen.push(n);
    }
  })();
  await expect(reading).rejects.toThrow('damaged');
  expect(seen).toEqual([0, 1]);
});

test('a consumer that stops ends the reading', async () => {
  const happened: string[] = [];
  for await (const _ of readAhead(numbers(9, happened))) break;
  expect(happened.at(-1)).toBe('ended');
  expect(happened.length).toBeLessThan(9);
});
