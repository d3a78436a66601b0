/**
 * Reads the next batch while the last one is worked on.
 *
 * @module
 */
import { setImmediate } from 'node:timers/promises';

/**
 * Yields what an iterable yields. The next value is asked for as soon as the consumer waits for something
 * else: what it has begun before, such as to send the value, comes first. An error of the iterable comes
 * when the consumer asks for the next value.
 */
export async function* readAhead<Value>(values: AsyncIterable<Value>): AsyncGenerator<Value> {
  const iterator = values[Symbol.asyncIterator]();
  const next = async () => {
    await setImmediate();
    return iterator.next();
  };
  let coming = iterator.next();
  try {
    for (;;) {
      const { done, value } = await coming;
      if (done === true) return;
      coming = next();
      coming.catch(() => {});
      yield value;
    }
  } finally {
    await coming.catch(() => {});
    await iterator.return?.();
  }
}
