/**
 * The processes of a test file: one with protocol servers, one with engines of one client.
 *
 * @module
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { EngineProcess, ServerProcess, type TestProcesses } from './remote-engine.ts';

/** Starts both before the tests of the file, and ends them after: none of them may have died before. */
export function eventStoreProcesses(): TestProcesses {
  let servers: ServerProcess;
  let engines: EngineProcess;
  beforeAll(() => {
    servers = new ServerProcess();
    engines = new EngineProcess();
  });
  afterAll(async () => {
    await engines.stop();
    await servers.stop();
    expect(await engines.ended).toEqual({ err: '', end: 0 });
  });
  return { servers: () => servers, engines: () => engines };
}
