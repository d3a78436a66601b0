import assert from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { LedgerError } from 'vfio-ledger';
import { hosts, scenarios } from 'vfio-ledger/fast-check';
import { SystemError, VirtualHost } from 'vfio-ledger/virtual-host';

test('a property of any host fails with a scenario, and classes are shared', () => {
  const opened = fc.property(hosts({ profile: 'linux-7.3' }), (host) => {
    assert.ok(host instanceof VirtualHost);
    try {
      host.process('driver').openGroup('d0');
    } catch (error) {
      assert.ok(error instanceof SystemError);
      throw error;
    }
  });
  const report = fc.defaultReportMessage(fc.check(opened, { numRuns: 1000 })) ?? '';
  assert.match(report, /# \d operations? on linux-7\.3\n/);
  assert.match(report, /\n# npx vfio-ledger simulate --profile linux-7\.3 --topology \S+ \S+\n/);
  assert.match(report, /\n# npx vfio-ledger log --log \S+\.ledger\n/);
  assert.throws(() => scenarios({ refused: 101 }), LedgerError);
});
