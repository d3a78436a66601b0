/**
 * Rows of the operations on processes, and of driver changes.
 *
 * @module
 */
import { noRequest, type Rows } from './row.ts';

export const processRows: Rows<
  'fork' | 'spawn' | 'exec' | 'exit' | 'kill' | 'set_driver' | 'bg_wait'
> = {
  fork: {
    ...noRequest,
    makes: 'process',
    scenario: {
      operands: ['process'],
      arguments: ['comm'],
      options: [],
      call: (said) => ({ operation: 'fork', pid: said.pid, comm: said.word(0) }),
      names: (naming, { pid = -1 }) => naming.forked(0, pid),
    },
    records: [
      {
        type: 'process.forked',
        data: ({ pid, comm }, { pid: child = 0 }) => ({ pid, child, comm }),
        call: ({ pid, child, comm }) => ({
          call: { operation: 'fork', pid, comm },
          passed: { pid: child },
        }),
      },
    ],
  },
  spawn: {
    ...noRequest,
    caller: 'recorder',
    makes: 'process',
    scenario: {
      operands: ['process'],
      arguments: ['comm'],
      options: [],
      call: (said) => ({ operation: 'spawn', comm: said.word(0) }),
      names: (naming, { pid = -1 }) => naming.started(0, pid),
    },
    records: [
      {
        type: 'process.started',
        data: ({ comm }, { pid = 0 }) => ({ pid, comm, cgroup: null }),
        call: ({ pid, comm }) => ({ call: { operation: 'spawn', comm }, passed: { pid } }),
      },
    ],
  },
  exec: {
    ...noRequest,
    scenario: {
      operands: [],
      arguments: [],
      options: [],
      call: ({ pid }) => ({ operation: 'exec', pid }),
      names: (naming) => naming.executed(),
    },
    records: [
      {
        type: 'process.executed',
        data: ({ pid }) => ({ pid }),
        call: ({ pid }) => ({ call: { operation: 'exec', pid }, passed: {} }),
      },
    ],
  },
  exit: {
    ...noRequest,
    scenario: {
      operands: [],
      arguments: [],
      options: [],
      call: ({ pid }) => ({ operation: 'exit', pid }),
      names: (naming, _, { pid }) => naming.ended(pid),
    },
    records: [
      {
        type: 'process.exited',
        data: ({ pid }) => ({ pid, signal: null }),
        call: ({ pid, signal }) =>
          signal === null ? { call: { operation: 'exit', pid }, passed: {} } : null,
      },
    ],
  },
  kill: {
    ...noRequest,
    caller: 'recorder',
    scenario: {
      operands: ['process'],
      arguments: ['pid'],
      options: [],
      call: (said) => ({ operation: 'kill', pid: said.receiver(0) }),
      names: (naming, _, { pid }) => naming.ended(pid),
    },
    records: [
      {
        type: 'process.exited',
        data: ({ pid }) => ({ pid, signal: 'SIGKILL' }),
        call: ({ pid, signal }) =>
          signal === null ? null : { call: { operation: 'kill', pid }, passed: {} },
      },
    ],
  },
  set_driver: {
    ...noRequest,
    caller: 'background',
    makes: 'driver-change',
    scenario: {
      operands: ['device', 'driver'],
      arguments: ['device', 'driver'],
      options: ['ms'],
      call: (said) => {
        const driver = said.word(1) === 'none' ? null : said.word(1);
        return { operation: 'set_driver', device: said.device(0), driver };
      },
      names: null,
    },
    records: [
      {
        type: 'driver.bound',
        data: ({ device, driver }, { cdev = null }) =>
          driver === null ? null : { device, driver, cdev },
        call: ({ device, driver, cdev }) => ({
          call: { operation: 'set_driver', device, driver },
          passed: { cdev },
        }),
      },
    ],
  },
  bg_wait: {
    ...noRequest,
    caller: 'background',
    makes: 'end-of-driver-change',
    scenario: {
      operands: ['ms?'],
      arguments: [],
      options: [],
      call: () => ({ operation: 'bg_wait' }),
      names: null,
    },
    records: [],
  },
};
