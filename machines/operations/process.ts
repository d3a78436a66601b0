/**
 * The rules of processes and of driver changes.
 *
 * @module
 */
import type { Call, CallOf } from '../../events/vocabulary.ts';
import { kindOfDriver } from '../../operations/driver.ts';
import { owner, pendingChange } from '../blockers.ts';
import type { Cause } from '../causes.ts';
import { driverFits } from '../device-model.ts';
import type { Check, OperationTable, PlainCheck } from '../check.ts';
import { itself } from '../concerns.ts';
import { claimsDma } from '../profile.ts';
import {
  beforeDmaOwner,
  boundOutsideOfUse,
  failedProbe,
  sinceDmaOwner,
} from './before-dma-owner.ts';
import { shown } from './shown.ts';

const isNew: PlainCheck<CallOf<'fork' | 'spawn'>> = {
  name: 'process-is-new',
  asks: 'host',
  holds: ({ call, host }) => !host.hasProcessNamed(call.comm),
  errno: 'EEXIST',
  cause: 'process-exists',
  source: 'scenario language: one process of a name',
};

/** The bind at the end of a driver change did not fail with this errno. */
const changeNotRefused = (errno: string, cause: Cause, source: string): PlainCheck => ({
  name: 'driver-change-not-refused',
  asks: 'host',
  holds: ({ host }) => host.driverChange?.outcome?.errno !== errno,
  errno,
  cause,
  source,
  blocker: (question) => (cause === 'owned-by-user' ? owner(question) : null),
});

/** The rules of a call that concerns only its process. */
const free = <C extends Call>(checks: readonly Check<C>[] = []) => {
  return { ...shown, concerns: itself, checks };
};

export const processOperations: OperationTable<
  'fds' | 'fork' | 'spawn' | 'exec' | 'exit' | 'kill' | 'set_driver' | 'bg_wait'
> = {
  fds: free(),
  fork: free([isNew]),
  spawn: free([isNew]),
  exec: free(),
  exit: free(),
  kill: free(),
  set_driver: {
    ...shown,
    concerns: (base, host) => {
      const device = host.device(base.call.device);
      const { driver } = base.call;
      if (driver === null) return { ...base, device };
      const event = { type: 'driver.bound', kind: kindOfDriver(driver) } as const;
      const claims = claimsDma(base.host.profile, event.kind);
      const group = device?.group ?? undefined;
      return { ...base, device, group, events: { device: event, group: { ...event, claims } } };
    },
    checks: [
      {
        name: 'device-known',
        asks: 'host',
        holds: ({ device }) => device !== undefined,
        errno: 'ENODEV',
        cause: 'no-such-device',
        source: 'base/bus.c:bind_store',
      },
      {
        // A rule of the scenario language: the kernel binds other drivers meanwhile.
        name: 'no-driver-change-pending',
        asks: 'host',
        holds: ({ host }) => host.driverChange === null,
        avoidable: true,
        errno: 'EBUSY',
        cause: 'driver-change-pending',
        source: 'scenario language: one driver change at a time',
        blocker: pendingChange,
      },
      {
        name: 'driver-known',
        asks: 'host',
        holds: ({ call, host }) => call.driver === null || host.knowsDriver(call.driver),
        errno: 'ENOENT',
        cause: 'no-such-node',
        source: 'base/bus.c:bind_store',
      },
      {
        ...sinceDmaOwner,
        name: 'group-not-owned-by-user',
        asks: 'group',
        in: ['container', 'iommufd'],
        guard: 'claimsNothing',
        errno: 'EBUSY',
        cause: 'owned-by-user',
        source: 'iommu/iommu.c:iommu_device_use_default_domain',
        blocker: owner,
      },
      ...failedProbe({
        name: 'driver-fits-device',
        asks: 'host',
        holds: ({ call, device }) =>
          call.driver === null || device === undefined || driverFits(device, call.driver),
        errno: 'EIO',
        cause: 'not-ownership',
        source: 'base/dd.c:really_probe',
      }),
    ],
    fatal: [boundOutsideOfUse],
  },
  bg_wait: {
    ...shown,
    concerns: (base) => {
      const device = base.host.driverChange?.device;
      return { ...base, device, group: device?.group ?? undefined };
    },
    checks: [
      {
        name: 'driver-change-there',
        asks: 'host',
        holds: ({ host }) => host.driverChange !== null,
        errno: 'ECHILD',
        cause: 'no-driver-change',
        source: 'scenario language: nothing to collect',
      },
      {
        ...changeNotRefused(
          'EBUSY',
          'owned-by-user',
          'iommu/iommu.c:iommu_device_use_default_domain',
        ),
        ...sinceDmaOwner,
      },
      changeNotRefused('ENOENT', 'no-such-node', 'base/bus.c:bind_store'),
      { ...changeNotRefused('EIO', 'not-ownership', 'base/dd.c:really_probe'), ...sinceDmaOwner },
      {
        ...changeNotRefused('ENODEV', 'not-ownership', 'base/bus.c:bind_store'),
        ...beforeDmaOwner,
      },
    ],
  },
};
