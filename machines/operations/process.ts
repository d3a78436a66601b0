/**
 * The checks of processes and of driver changes.
 *
 * @module
 */
import { owner, pendingChange } from '../blockers.ts';
import type { Cause } from '../causes.ts';
import { driverFits } from '../device-model.ts';
import type { OperationRules, PlainCheck, Question } from '../check.ts';

const absent = (holds: (question: Question) => boolean): PlainCheck => ({
  name: 'process-is-new',
  asks: 'host',
  holds,
  errno: 'EEXIST',
  cause: 'process-exists',
  source: 'scenario language: one process of a name',
});

/** The bind at the end of a change that had to wait was not turned down with that errno. */
const changeNotRefused = (errno: string, cause: Cause, source: string): PlainCheck => ({
  name: 'driver-change-not-refused',
  asks: 'host',
  holds: ({ host }) => host.driverChange?.outcome?.errno !== errno,
  errno,
  cause,
  source,
  blocker: (question) => (cause === 'owned-by-user' ? owner(question) : null),
});

const free = (event: string | null, checks: OperationRules['checks'] = []): OperationRules => ({
  records: event,
  checks,
});

export const processOperations = {
  fds: free(null),
  fork: free('process.forked', [
    absent(({ call, host }) => call.operation === 'fork' && !host.hasProcessNamed(call.comm)),
  ]),
  spawn: free('process.started', [
    absent(({ call, host }) => call.operation === 'spawn' && !host.hasProcessNamed(call.comm)),
  ]),
  exec: free('process.executed'),
  exit: free('process.exited'),
  kill: free('process.exited'),
  set_driver: free('driver.bound', [
    {
      name: 'device-known',
      asks: 'host',
      holds: ({ device }) => device !== undefined,
      errno: 'ENODEV',
      cause: 'no-such-device',
      source: 'scenario language: a device of the topology',
    },
    {
      name: 'no-driver-change-pending',
      asks: 'host',
      holds: ({ host }) => host.driverChange === null,
      errno: 'EBUSY',
      cause: 'driver-change-pending',
      source: 'scenario language: one driver change at a time',
      blocker: pendingChange,
    },
    {
      name: 'driver-known',
      asks: 'host',
      holds: ({ call, host }) =>
        call.operation !== 'set_driver' || call.driver === null || host.knowsDriver(call.driver),
      errno: 'ENOENT',
      cause: 'no-such-node',
      source: 'base/bus.c:bind_store',
    },
    {
      name: 'group-not-owned-by-user',
      asks: 'group',
      in: ['container', 'iommufd'],
      guard: 'claimsNothing',
      errno: 'EBUSY',
      cause: 'owned-by-user',
      source: 'iommu/iommu.c:iommu_device_use_default_domain',
      blocker: owner,
    },
    {
      name: 'driver-fits-device',
      asks: 'host',
      holds: ({ call, device }) =>
        call.operation !== 'set_driver' ||
        call.driver === null ||
        device === undefined ||
        driverFits(device, call.driver),
      errno: 'EIO',
      cause: 'not-ownership',
      source: 'base/dd.c:really_probe',
    },
  ]),
  bg_wait: free(null, [
    {
      name: 'driver-change-there',
      asks: 'host',
      holds: ({ host }) => host.driverChange !== null,
      errno: 'ECHILD',
      cause: 'no-driver-change',
      source: 'scenario language: nothing to collect',
    },
    changeNotRefused('EBUSY', 'owned-by-user', 'iommu/iommu.c:iommu_device_use_default_domain'),
    changeNotRefused('ENOENT', 'no-such-node', 'base/bus.c:bind_store'),
    changeNotRefused('EIO', 'not-ownership', 'base/dd.c:really_probe'),
  ]),
} satisfies Record<string, OperationRules>;
