/**
 * Two virtual machines want one device at the same time. The test replays the race, asks who held what
 * at each moment, and tries what would have happened otherwise. Run it with vitest 5.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { serializer, test } from 'vfio-ledger/vitest';

const topology = readFileSync(new URL('host.topology.json', import.meta.url), 'utf8');

/** P1 and P2 are the two VMMs. Both have opened the device before either binds it. */
const race = `open_iommufd I
  open_cdev A gpu
  @P2 open_iommufd J
  @P2 open_cdev B gpu
  bind A I
  @P2 bind B J
  close A
  @P2 bind B J
  @P2 close B
  @P2 close J
  close I`;

expect.addSnapshotSerializer(serializer);

test('the second VM is refused until the first has closed the device', async ({ ledger }) => {
  await ledger.simulate(race, { topology });
  expect(ledger).toSatisfyInvariant('one-context-per-group');
  expect(ledger).toHaveRefused({ comm: 'P2', operation: 'bind', cause: 'device-open-elsewhere' });

  // Who had it when P2 was refused, and what let P2 have it later?
  const refused = ledger.why('gpu');
  expect(ledger.at(refused.position).device('gpu')).toBeOwnedBy({ comm: 'P1' });
  expect(ledger.at(refused.wouldPassAfter ?? 'end').device('gpu')).toBeUnowned();

  // Step by step: the event that gave the group to P1, and what the machines did.
  const steps = ledger.steps();
  const bound = steps.to(refused.because.at(-1) ?? 'end');
  expect(bound?.before.device('gpu')).toBeUnowned();
  expect(bound?.after.device('gpu')).toBeOwnedBy({ comm: 'P1' });
  expect(bound?.transitions).toContainEqual(
    expect.objectContaining({ machine: 'group', from: 'unowned', to: 'iommufd' }),
  );

  // What if P1 had closed the device before P2 came?
  const { pid, fd } = bound?.event.data ?? {};
  const fork = ledger.at(refused.position).fork();
  fork.attempt({ operation: 'close', pid, fd });
  const { data } = ledger.event(refused.position) ?? {};
  expect(
    fork.attempt({ operation: 'bind', pid: data.pid, fd: data.fd, iommufd: data.iommufd }),
  ).toMatchObject({
    errno: null,
  });

  expect(ledger.diff('start', 'end')).toMatchInlineSnapshot(`
    position 4   group 12  nobody -> kernel drivers
    position 13  group 26  nobody -> iommufd f8 (P1)
    position 15  group 26  iommufd f8 (P1) -> nobody
    position 16  group 26  nobody -> iommufd f11 (P2)
    position 17  group 26  iommufd f11 (P2) -> nobody
  `);
});
