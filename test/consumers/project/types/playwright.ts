import { expect } from 'vfio-ledger/playwright';
import type { Ledger } from 'vfio-ledger';

declare const ledger: Ledger;
const then = ledger.at(41);
const device = then.device('0000:3b:00.0');
const { groups } = then.table();

expect(device).toBeOwnedBy({ pid: 4711 });
expect(device).not.toBeOwnedBy({ comm: expect.stringContaining('qemu'), fd: expect.any(Number) });
expect(device).toBeHeldBy(expect.objectContaining({ via: 'mapping' }));
expect(then.group('26')).toBeHeldBy({ cgroup: '/machine.slice' }, { unknown: 'allow' });
expect(groups[0]).toBeUnowned();
expect(ledger.who('26')).toBeUnowned();
expect(ledger.history('26')[0]).not.toHaveUnknownOwner();
expect(ledger).toSatisfyInvariant('one-context-per-group');
expect(ledger).toHaveRefused({
  operation: 'bind',
  errno: 'EBUSY',
  cause: 'owned-by-other-iommufd',
});
expect(then.fork()).toConformTo({ profile: 'linux-7.3' });
expect(ledger.between(10, 'end')).toReleaseEverything({ unknown: 'allow' });

// A wrong key.
// @ts-expect-error
expect(device).toBeOwnedBy({ pdi: 4711 });
// @ts-expect-error
expect(ledger).toHaveRefused({ operations: 'bind' });
// @ts-expect-error
expect(ledger).toConformTo({ kernel: 'linux-7.3' });
// @ts-expect-error
expect(device).toBeUnowned({ unknwon: 'allow' });

// A wrong value.
// @ts-expect-error
expect(device).toBeOwnedBy({ pid: '4711' });
// @ts-expect-error
expect(device).toBeHeldBy({ via: 'socket' });
// @ts-expect-error
expect(ledger).toHaveRefused({ operation: 'bnid' });
// @ts-expect-error
expect(ledger).toHaveRefused({ cause: 'owned-by-somebody' });
// @ts-expect-error
expect(ledger).toHaveRefused({ errno: 16 });
// @ts-expect-error
expect(ledger).toSatisfyInvariant('one-owner');
// @ts-expect-error
expect(ledger).toConformTo({ profile: 'linux-1.0' });
// @ts-expect-error
expect(ledger.between(10, 'end')).toReleaseEverything({ unknown: true });

// A wrong subject.
// @ts-expect-error
expect(42).toBeUnowned();
// @ts-expect-error
expect(ledger).toBeUnowned();
// @ts-expect-error
expect(then).toHaveUnknownOwner();
// @ts-expect-error
expect(then.table()).toBeHeldBy({ pid: 4711 });
// @ts-expect-error
expect(device).toHaveRefused({ operation: 'bind' });
// @ts-expect-error
expect(device.owner).toBeOwnedBy({ pid: 4711 });
// @ts-expect-error
expect(ledger).toReleaseEverything();
// @ts-expect-error
expect('a text').toConformTo({ profile: 'linux-7.3' });
