/** Uses of every matcher that pass, the same for every `expect`. */
const device = '0000:00:02.0';

export async function usesEveryMatcher(expect, openLedger, ledger) {
  const then = ledger.at(29);
  expect(then.device(device)).toBeOwnedBy({ pid: 101 });
  expect(then.device(device)).toBeOwnedBy(expect.objectContaining({ comm: 'P1' }));
  expect(then.device(device)).toBeOwnedBy({
    comm: expect.stringMatching(/^P/),
    fd: expect.any(Number),
  });
  expect(then.group('1')).not.toBeOwnedBy({ pid: 102 });
  expect(then.device(device)).toBeHeldBy({ comm: 'P1', via: 'fd' });
  expect(then.device(device)).not.toBeHeldBy({ pid: 99 });
  expect(then.group('2')).toBeUnowned();
  expect(then.device(device)).not.toBeUnowned();
  expect(then.device(device)).not.toHaveUnknownOwner();
  expect(ledger).toSatisfyInvariant('one-context-per-group');
  expect(ledger).toHaveRefused({
    operation: 'bind',
    errno: 'EINVAL',
    cause: 'device-open-elsewhere',
  });
  expect(ledger).not.toHaveRefused({ operation: 'attach' });
  expect(ledger).toConformTo({ profile: 'linux-7.3' });
  expect(ledger.between(24, 26)).toReleaseEverything();
  expect(ledger.between('start', 29)).not.toReleaseEverything();

  // Each is asymmetric, too.
  expect({ now: then.device(device), ledger }).toEqual({
    now: expect.toBeOwnedBy({ pid: 101 }),
    ledger: expect.toHaveRefused({ operation: 'bind' }),
  });
  expect([then.group('1'), then.group('2')]).toEqual([
    expect.not.toBeUnowned(),
    expect.toBeUnowned(),
  ]);
  expect({
    a: then.device(device),
    b: ledger,
    c: ledger,
    d: ledger.between(24, 26),
    e: then.group('1'),
  }).toEqual({
    a: expect.toBeHeldBy({ pid: 101 }),
    b: expect.toSatisfyInvariant('one-open-file-per-group'),
    c: expect.toConformTo({ profile: 'linux-7.3' }),
    d: expect.toReleaseEverything(),
    e: expect.not.toHaveUnknownOwner(),
  });

  // What is not known fails in every form.
  const lost = await openLedger(':memory:');
  for (const { id, time, type, data } of ledger.events)
    await lost.append(lost.head.position, [{ id, time, type, data }]).then(() => lost.refresh());
  await lost.noticeGap('the recorder has stopped');
  const group = lost.at('end').group('1');
  expect(group).toHaveUnknownOwner();
  const fails = (assertion) => {
    let message = null;
    try {
      assertion();
    } catch (error) {
      ({ message } = error);
    }
    if (message === null) throw new Error(`it passed: ${assertion}`);
  };
  fails(() => expect(group).toBeUnowned());
  fails(() => expect(group).not.toBeUnowned());
  fails(() => expect({ group }).toEqual({ group: expect.toBeUnowned() }));
  fails(() => expect({ group }).toEqual({ group: expect.not.toBeUnowned() }));
  fails(() => expect(group).toBeOwnedBy({ pid: 102 }));
  fails(() => expect(group).not.toBeOwnedBy({ pid: 102 }));
  fails(() => expect(lost).toHaveRefused({ operation: 'bind' }));
  fails(() => expect(lost).not.toHaveRefused({ operation: 'attach' }));
  fails(() =>
    expect({ lost }).toEqual({ lost: expect.not.toHaveRefused({ operation: 'attach' }) }),
  );
  expect(lost).toHaveRefused({ operation: 'bind' }, { unknown: 'allow' });
  expect(lost).not.toHaveRefused({ operation: 'attach' }, { unknown: 'allow' });
}
