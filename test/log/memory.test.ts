import { expect, test } from 'vitest';
import { memoryStore } from '../../log/memory.ts';
import { storeContract } from './contract.ts';
import { closed, readAll } from './sample.ts';

storeContract('memory', memoryStore);

test('what a reader is handed cannot be changed under the others', async () => {
  const store = memoryStore();
  await store.append('a', -1, [closed('x')]);
  const [event] = await readAll(store, 'a');
  expect(() => Object.assign(event!, { id: 'y' })).toThrow(TypeError);
  expect(() => Object.assign(event!.data, { fd: 9 })).toThrow(TypeError);
});
