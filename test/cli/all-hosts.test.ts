import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { root, run } from './program.ts';

const folder = temporaryFolder();
const log = join(folder, 'fleet.ledger');
const topology = readFileSync(join(root, 'examples/host.topology.json'), 'utf8');

/** On host `a`, P2 binds the GPU; on host `b` nobody does; on host `c` there is no GPU at all. */
const scenarios = {
  a: '@P2 open_iommufd I\n@P2 open_cdev A gpu\n@P2 bind A I\n',
  b: 'open_iommufd I\n@P2 open_iommufd I\n',
};

interface OfHost {
  readonly host: string;
  readonly answer: never;
  readonly coverage: { readonly unknown: unknown[] } | null;
  readonly head: string | null;
  readonly error?: { readonly code: string };
}

async function asked(...args: string[]): Promise<{ code: number | null; hosts: OfHost[] }> {
  const { code, out } = await run([...args, '--all-hosts', '--json', '--log', log]);
  return { code, hosts: JSON.parse(out) as OfHost[] };
}

/** The answer of the same verb about one host. */
async function ofHost(host: string, ...args: string[]): Promise<unknown> {
  const { out } = await run([...args, '--host', host, '--json', '--log', log]);
  return JSON.parse(out);
}

beforeAll(async () => {
  for (const [host, scenario] of Object.entries(scenarios)) {
    await using ledger = await openLedger(log, { host });
    await ledger.simulate(scenario, { topology });
  }
  await using ledger = await openLedger(log, { host: 'c' });
  const nic = { name: 'nic', bdf: '0000:01:00.0', group: 7, driver: 'vfio-pci', cdev: 'vfio0' };
  const bare = { kernel: '7.3.4', iommufd: true, devices: [nic] };
  await ledger.simulate('open_iommufd I\n', { topology: bare });
});

describe('--all-hosts', () => {
  test('has for each host the answer about that host, with coverage and head', async () => {
    const { code, hosts } = await asked('table');
    expect(code).toBe(0);
    expect(hosts.map(({ host }) => host)).toEqual(['a', 'b', 'c']);
    const { out } = await run(['verify', '--host', 'a', '--json', '--log', log]);
    const heads = (JSON.parse(out) as { hosts: { host: string; head: string }[] }).hosts;
    for (const [index, each] of hosts.entries()) {
      expect(each.answer).toEqual(await ofHost(each.host, 'table'));
      expect(each.head).toBe(heads[index]?.head);
      expect(each.coverage?.unknown).toEqual([]);
    }
  });

  test('finds the host whose device a tenant held; a host without it does not hide that', async () => {
    const { code, hosts } = await asked('who', 'gpu');
    expect(code).toBe(2);
    expect(hosts).toMatchObject([
      { host: 'a', answer: { owner: { kind: 'iommufd', holders: [{ comm: 'P2' }, {}] } } },
      { host: 'b', answer: { owner: { kind: 'none' } } },
      { host: 'c', answer: null, error: { code: 'unknown-subject' } },
    ]);
    const history = await asked('history', 'gpu');
    expect(history.hosts[0]?.answer).toEqual(await ofHost('a', 'history', 'gpu'));
  });

  test('of a log without hosts proves nothing', async () => {
    const empty = join(folder, 'empty.ledger');
    await using _ = await openLedger(empty);
    const question = ['attest', 'never-shared', 'comm:a', 'comm:b', '--all-hosts'];
    const { code, out, err } = await run([...question, '--log', empty]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('holds no host');
  });

  test('exits with the worst code of the hosts', async () => {
    const owned = await asked('attest', 'never-owned', 'gpu', 'comm:P2');
    const verdicts = owned.hosts.map(({ answer }: { answer: { verdict?: string } | null }) => {
      return answer?.verdict;
    });
    expect([owned.code, ...verdicts]).toEqual([2, 'refuted', 'proved', undefined]);
    expect(owned.hosts[0]).toMatchObject({ answer: { head: owned.hosts[0]?.head } });
  });

  test('has one coverage: that of the answer, and of its moments', async () => {
    const question = ['attest', 'never-owned', '26', 'comm:P2', '--from', '1', '--to', '2'];
    const { hosts } = await asked(...question);
    const [first] = hosts as unknown as [{ coverage: unknown; answer: { coverage: unknown } }];
    expect(first.coverage).toMatchObject({ from: 1, to: 2 });
    expect(first.coverage).toEqual(first.answer.coverage);
    const { out } = await run([...question, '--all-hosts', '--log', log]);
    const seen = out.split('\n').filter((line) => line.startsWith('Seen: '));
    expect(new Set(seen).size).toBe(1);
  });

  test('prints each host with its own lines', async () => {
    const { out, code } = await run(['who', 'gpu', '--all-hosts', '--log', log]);
    expect(code).toBe(2);
    expect(out).toMatch(/^host a\n[^]*P2[^]*\nhead \d+:[\da-f]{64}\n\nhost b\n[^]*\n\nhost c\n/);
  });

  test('says of a damaged host that it is damaged, and answers for the others', async () => {
    const damaged = join(folder, 'damaged.ledger');
    copyFileSync(log, damaged);
    const db = new DatabaseSync(damaged);
    for (const { name } of db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
      .all()) {
      db.exec(`DROP TRIGGER "${String(name)}"`);
    }
    db.exec(`UPDATE events SET data = '{}' WHERE stream = 'b' AND position = 2`);
    db.close();
    const { code, out } = await run(['table', '--all-hosts', '--json', '--log', damaged]);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject([
      { host: 'a', answer: {} },
      { host: 'b', answer: null, error: { code: 'damaged' } },
      { host: 'c', answer: {} },
    ]);
  });

  test('cannot be combined with one host or the running one', async () => {
    for (const args of [
      ['table', '--host', 'a'],
      ['who', 'gpu', '--now'],
    ]) {
      const { code, err } = await run([...args, '--all-hosts', '--log', log]);
      expect(code).toBe(2);
      expect(err).toMatch(/--all-hosts cannot be combined with --(host|now)/);
    }
  });
});
