/**
 * Rows of the operations on descriptors and mappings of any file.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import { noRequest, type Rows, type Said } from './row.ts';

const CONFIG_REGION = 7;

export const descriptorRows: Rows<
  'read' | 'ioctl' | 'mmap' | 'munmap' | 'dup' | 'dup2' | 'close' | 'fds' | 'send'
> = {
  read: {
    ...noRequest,
    scenario: {
      operands: ['A', 'region?'],
      arguments: ['fd', 'region'],
      options: [],
      call: (said) => {
        const region = said.number(1, CONFIG_REGION);
        return { operation: 'read', pid: said.pid, fd: said.fd(0), region };
      },
      names: null,
    },
    records: [],
  },
  ioctl: {
    ...noRequest,
    scenario: {
      operands: ['A', 'request'],
      arguments: ['fd', 'request'],
      options: [],
      call: bareIoctl,
      names: null,
    },
    records: [],
  },
  mmap: {
    ...noRequest,
    makes: 'mapping',
    scenario: {
      operands: ['M', 'A', 'region'],
      arguments: [null, 'fd', 'region'],
      options: [],
      call: (said) => {
        return { operation: 'mmap', pid: said.pid, fd: said.fd(1), region: said.number(2) };
      },
      names: (naming, { id = -1 }) => naming.name(0, id),
    },
    records: [
      {
        type: 'mapping.created',
        data: ({ pid, fd, region }, { id: mapping = 0 }) => ({ pid, fd, mapping, region }),
        call: ({ pid, fd, region, mapping }) => ({
          call: { operation: 'mmap', pid, fd, region },
          passed: { id: mapping },
        }),
      },
    ],
  },
  munmap: {
    ...noRequest,
    scenario: {
      operands: ['M'],
      arguments: ['mapping'],
      options: [],
      call: (said) => ({ operation: 'munmap', pid: said.pid, mapping: said.value(0) }),
      names: (naming, _, { mapping }) => naming.unmap(mapping),
    },
    records: [
      {
        type: 'mapping.removed',
        data: ({ pid, mapping }) => ({ pid, mapping }),
        call: ({ pid, mapping }) => ({ call: { operation: 'munmap', pid, mapping }, passed: {} }),
      },
    ],
  },
  dup: {
    ...noRequest,
    handsOut: ({ pid }, lowestFree) => lowestFree(pid),
    scenario: {
      operands: ['B', 'A'],
      arguments: [null, 'fd'],
      options: [],
      call: (said) => ({ operation: 'dup', pid: said.pid, fd: said.fd(1) }),
      names: (naming, { rc }) => naming.name(0, rc),
    },
    records: [
      {
        type: 'descriptor.duplicated',
        data: ({ pid, fd }, { rc }) => ({ pid, fd, as: rc }),
        call: ({ pid, fd, as }) => ({ call: { operation: 'dup', pid, fd }, passed: { rc: as } }),
      },
    ],
  },
  dup2: {
    ...noRequest,
    handsOut: ({ to }) => to,
    scenario: {
      operands: ['B', 'A'],
      arguments: ['to', 'fd'],
      options: [],
      call: (said) => ({ operation: 'dup2', pid: said.pid, fd: said.fd(1), to: said.fd(0) }),
      names: (naming, _, { to }) => naming.name(0, to),
    },
    records: [
      {
        type: 'descriptor.duplicated',
        data: ({ pid, fd, to }) => ({ pid, fd, as: to }),
        call: ({ pid, fd, as }) => ({
          call: { operation: 'dup2', pid, fd, to: as },
          passed: { rc: as },
        }),
      },
    ],
  },
  close: {
    ...noRequest,
    scenario: {
      operands: ['A'],
      arguments: ['fd'],
      options: [],
      call: (said) => ({ operation: 'close', pid: said.pid, fd: said.fd(0) }),
      names: (naming) => naming.name(0, -1),
    },
    records: [
      {
        type: 'descriptor.closed',
        data: ({ pid, fd }) => ({ pid, fd }),
        call: ({ pid, fd }) => ({ call: { operation: 'close', pid, fd }, passed: {} }),
      },
    ],
  },
  fds: {
    ...noRequest,
    scenario: {
      operands: [],
      arguments: [],
      options: [],
      call: ({ pid }) => ({ operation: 'fds', pid }),
      names: null,
    },
    records: [],
  },
  send: {
    ...noRequest,
    processes: ['to'],
    handsOut: ({ to }, lowestFree) => lowestFree(to),
    scenario: {
      operands: ['A', 'process', 'B?'],
      arguments: ['fd', 'to', null],
      options: [],
      call: (said) => ({ operation: 'send', pid: said.pid, fd: said.fd(0), to: said.receiver(1) }),
      names: (naming, { rc }, { to }) => naming.nameIn(to, 2, 0, rc),
    },
    records: [
      {
        type: 'descriptor.passed',
        data: ({ pid, fd, to }, { rc }) => ({ pid, fd, to, as: rc }),
        call: ({ pid, fd, to, as }) => ({
          call: { operation: 'send', pid, fd, to },
          passed: { rc: as },
        }),
      },
    ],
  },
};

/** An ioctl that takes no structure is the operation of its number: a null argument suits it. */
function bareIoctl(said: Said): Call {
  const { pid } = said;
  const [fd, request] = [said.fd(0), said.number(1)];
  return said.bare(request, { pid, fd }) ?? { operation: 'ioctl', pid, fd, request };
}
