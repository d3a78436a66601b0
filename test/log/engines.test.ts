import { join } from 'node:path';
import { memoryStore } from '../../log/memory.ts';
import { replicaOf } from '../../log/replica.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { engineOf } from '../../log/store-engine.ts';
import { storeContract } from './contract.ts';
import { engineContract } from './engine-contract.ts';
import { limited } from './faulty-engine.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
let files = 0;
const newPath = () => join(folder, `${files++}.log`);
const memoryEngine = () => engineOf(memoryStore(), 'memory');

engineContract('memory', async () => {
  const store = memoryStore();
  // Each connection is closed on its own.
  const connect = async () => limited(engineOf(store, 'memory'), 100_000);
  return { connect, limit: 100_000 };
});

engineContract('a file', async () => {
  const path = newPath();
  return { connect: async () => engineOf(openSqliteStore(path), path), limit: null };
});

storeContract('replica of memory', () => replicaOf(memoryEngine(), memoryStore()));
storeContract('replica of memory in a file', () =>
  replicaOf(memoryEngine(), openSqliteStore(newPath())),
);
