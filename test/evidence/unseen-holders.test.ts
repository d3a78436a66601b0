/**
 * Holders of which no line of a trace shows anything: nothing shows that they have closed their files, so
 * they own nothing for sure.
 *
 * @module
 */
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';

/** Lines of strace, a second apart. `pid` is the column, if there is one. */
function strace(...calls: readonly string[]): string {
  return calls
    .map((call, second) => {
      const [, pid = '', text = ''] = /^(\d+ +)?(.*)$/.exec(call) ?? [];
      return `${pid}${1_764_150_000 + second}.000100 ${text}\n`;
    })
    .join('');
}

async function importing(...calls: readonly string[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.import(strace(...calls));
  return ledger;
}

const ownersOf = (ledger: Ledger, word: string) =>
  ledger.history(word).map(({ owner, endedBy }) => [owner.kind, endedBy]);

const rulesOf = (ledger: Ledger) => ledger.events.map(({ data }) => data.evidence?.rule);

/** Group 26 in a container, with a device. */
const contained = [
  'openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR) = 7</dev/vfio/vfio>',
  'openat(AT_FDCWD, "/dev/vfio/26", O_RDWR) = 8</dev/vfio/26>',
  'ioctl(8</dev/vfio/26>, VFIO_GROUP_SET_CONTAINER, [7]) = 0',
  'ioctl(7</dev/vfio/vfio>, VFIO_SET_IOMMU, 0x3) = 0',
  'ioctl(8</dev/vfio/26>, VFIO_GROUP_GET_DEVICE_FD, "0000:3b:00.0") = 9',
];

/** A device that is bound to an iommufd. Its group is not shown. */
const bound = [
  'openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 3</dev/iommu>',
  'openat(AT_FDCWD, "/dev/vfio/devices/vfio0", O_RDWR) = 4</dev/vfio/devices/vfio0>',
  'ioctl(4</dev/vfio/devices/vfio0>, VFIO_DEVICE_BIND_IOMMUFD, {argsz=16, flags=0, iommufd=3} => {out_devid=1}) = 0',
];

const ended = ['exit_group(0) = ?', '+++ exited with 0 +++'];
const of = (pid: number, ...calls: readonly string[]) => calls.map((call) => `${pid}  ${call}`);

describe('a child that no line shows', () => {
  test.each(['fork() = 4102', 'vfork() = 4102', 'clone(child_stack=NULL, flags=SIGCHLD) = 4102'])(
    'owns nothing for sure once its parent has gone: %s',
    async (fork) => {
      const ledger = await importing(...contained, fork, ...ended);
      const { owner, holders } = ledger.who('26');
      expect(owner).toEqual({ kind: 'unknown', file: null, holders: [] });
      expect(holders.map(({ pid }) => pid)).toEqual([4102, 4102]);
      expect(ledger.at().whyUnknown('26')?.reason).toContain('pid 4102');
      expect(ledger.events.at(-1)).toMatchObject({
        type: 'gap.noticed',
        data: { group: '26', evidence: { certainty: 'inferred', rule: 'only-unseen-holders' } },
      });
      expect(ledger.verify().faults).toEqual([]);
    },
  );

  test('changes nothing as long as a traced process keeps the owner alive', async () => {
    const still = ['close(8) = 0', 'openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 11'];
    const ledger = await importing(...contained, 'fork() = 4102', ...still);
    expect(ledger.who('26').owner.kind).toBe('container');
    expect(ownersOf(ledger, '26').at(-1)).toEqual(['container', null]);
  });

  test('may have a device whose group is not known', async () => {
    const ledger = await importing(...bound, 'fork() = 4102', ...ended);
    expect(ledger.who('vfio0').owner.kind).toBe('unknown');
    expect(ledger.at().table().devices).toMatchObject([{ state: 'unknown' }]);
    expect(ownersOf(ledger, 'vfio0').map(([kind]) => kind)).toEqual([
      'unknown',
      'iommufd',
      'unknown',
    ]);
    expect(ledger.who('pid:4102').owner.kind).toBe('unknown');
  });

  test('is seen by a later line: it has had the files all along', async () => {
    const parent = of(4101, ...contained, 'fork() = 4102', ...ended);
    const ledger = await importing(...parent, ...of(4102, ...ended));
    expect(rulesOf(ledger)).not.toContain('only-unseen-holders');
    expect(ownersOf(ledger, '26').slice(-2)).toEqual([
      ['container', 'process.exited'],
      ['none', null],
    ]);
  });

  test('is the only one in doubt: another child that ends in sight takes nothing with it', async () => {
    const forks = ['fork() = 4102', 'fork() = 4103'];
    const parent = of(4101, ...contained, ...forks, ...ended);
    const ledger = await importing(...parent, ...of(4102, ...ended));
    expect(ownersOf(ledger, '26').slice(-2)).toEqual([
      ['container', 'gap.noticed'],
      ['unknown', null],
    ]);
    const gap = rulesOf(ledger).indexOf('only-unseen-holders');
    expect(ledger.events[gap - 1]).toMatchObject({
      type: 'process.exited',
      data: { pid: 4102 },
    });
  });

  test.each([
    [
      '--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=4102, si_uid=0, si_status=0} ---',
      null,
    ],
    [
      '--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=4102, si_status=SIGKILL} ---',
      'SIGKILL',
    ],
  ])('has ended where its parent is told so: %s', async (line, signal) => {
    const closed = ['close(9) = 0', 'close(8) = 0', 'close(7) = 0'];
    const ledger = await importing(...contained, 'fork() = 4102', ...closed, line);
    expect(ledger.events.at(-1)).toMatchObject({
      type: 'process.exited',
      data: { pid: 4102, signal },
    });
    expect(ownersOf(ledger, '26').slice(-2)).toEqual([
      ['container', 'process.exited'],
      ['none', null],
    ]);
  });

  test('has nothing any more once the kernel lets another process open the group', async () => {
    const again = [
      'openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR) = 7</dev/vfio/vfio>',
      'openat(AT_FDCWD, "/dev/vfio/26", O_RDWR) = 8</dev/vfio/26>',
      'ioctl(8</dev/vfio/26>, VFIO_GROUP_SET_CONTAINER, [7]) = 0',
      'close(8) = 0',
    ];
    const closed = ['close(9) = 0', 'close(8) = 0', 'close(7) = 0'];
    const ledger = await importing(...contained, 'fork() = 4102', ...closed, ...again);
    expect(ownersOf(ledger, '26').map(([kind]) => kind)).toEqual([
      'unknown',
      'container',
      'unknown',
      'container',
      'none',
    ]);
  });

  test('gives the same events when the trace is imported again, and none beside the gap', async () => {
    const calls = [...contained, 'fork() = 4102', ...ended];
    const ledger = await importing(...calls);
    const { length } = ledger;
    expect(await ledger.import(strace(...calls))).toMatchObject({ appended: 0 });
    expect(ledger.length).toBe(length);
    const seen = await importing(...of(1, ...calls), ...of(4102, ...ended));
    expect(rulesOf(seen)).not.toContain('only-unseen-holders');
  });
});

describe('a descriptor that was sent', () => {
  const sent =
    'sendmsg(5, {msg_name=NULL, msg_iov=[{iov_base="\\0", iov_len=1}], msg_control=[{cmsg_len=24, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[8, 9]}]}, 0) = 1';
  const received =
    'recvmsg(5, {msg_name=NULL, msg_iov=[{iov_base="\\0", iov_len=1}], msg_control=[{cmsg_len=24, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[3</dev/vfio/26>, 4<anon_inode:[vfio-device]>]}]}, 0) = 1';

  test('may be with a process that no line shows', async () => {
    const ledger = await importing(...contained, sent, ...ended);
    expect(ledger.who('26').owner.kind).toBe('unknown');
    expect(ledger.at().whyUnknown('26')?.reason).toMatch(/sent to a process that no line shows/);
  });

  test('is in the queue until a traced process receives it', async () => {
    const ledger = await importing(
      ...of(4101, ...contained, sent, ...ended),
      ...of(4200, received),
    );
    expect(ledger.who('26').owner.kind).toBe('container');
    expect(ownersOf(ledger, '26').map(([kind]) => kind)).toEqual(['unknown', 'container']);
  });
});

describe('a process that strace has let go', () => {
  const of4711 = of(4711, ...contained);
  const polling = '4711  ppoll([{fd=0, events=POLLIN}], 1, NULL, NULL, 8';

  test.each([
    ['by a message', 'strace: Process 4711 detached'],
    ['by a message in a call', 'ppoll([{fd=0}], 1, NULL^Cstrace: Process 4711 detached'],
    ['at the end of a call', `${polling} <detached ...>`],
  ])('owns nothing for sure from then on: %s', async (_how, line) => {
    const ledger = await openLedger(':memory:');
    await ledger.import(`${strace(...of4711)}${line}\n`);
    const { owner, holders } = ledger.who('26');
    expect(owner).toEqual({ kind: 'unknown', file: null, holders: [] });
    expect(holders.map(({ pid }) => pid)).toEqual([4711, 4711]);
    expect(ledger.at().whyUnknown('26')?.reason).toContain('pid 4711');
    expect(ownersOf(ledger, '26').at(-2)).toEqual(['container', 'gap.noticed']);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('does not own again for sure because a later line shows it', async () => {
    const again = of(4711, 'ioctl(8, VFIO_GROUP_GET_STATUS, {argsz=8, flags=0}) = 0');
    const ledger = await importing(...of4711, `${polling} <detached ...>`, ...again);
    expect(ledger.who('26').owner.kind).toBe('unknown');
  });

  test('has no pid if no line shows it', async () => {
    const ledger = await importing(...contained, 'ppoll([{fd=0}], 1, NULL <detached ...>');
    expect(ledger.at().whyUnknown('26')?.reason).not.toMatch(/\d/);
  });

  test('takes nothing from those that are still traced', async () => {
    const other = of(4712, 'openat(AT_FDCWD, "/dev/null", O_RDWR) = 3');
    const lone = ' <detached ...>';
    const ledger = await importing(...other, ...of4711, '4712  read(3, <detached ...>', lone);
    expect(ledger.who('26').owner.kind).toBe('container');
  });
});

describe('a refusal on a group whose files only unseen holders may have', () => {
  const busy = 'openat(AT_FDCWD, "/dev/vfio/26", O_RDWR) = -1 EBUSY (Device or resource busy)';
  const alone = contained.slice(0, 4);

  test('has no cause: nothing shows that they still have them', async () => {
    const ledger = await importing(...alone, 'fork() = 4102', 'close(8) = 0', busy);
    const why = ledger.why('g26');
    expect(why).toMatchObject({ cause: 'unknown', blocker: null, because: [] });
    expect(why.candidates.map(({ cause }) => cause)).toContain('group-already-open');
  });

  test('has one again by a file that was opened since', async () => {
    const again = 'openat(AT_FDCWD, "/dev/vfio/26", O_RDWR) = 8</dev/vfio/26>';
    const ledger = await importing(...alone, 'fork() = 4102', 'close(8) = 0', again, busy);
    expect(ledger.why('g26').cause).toBe('group-already-open');
  });

  test('has none by a file that was seen only before lines were lost', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import([...alone, busy].join('\n'));
    expect(ledger.why('g26').cause).toBe('group-already-open');
    await ledger.noticeGap('12 events were lost');
    await ledger.import(`${busy}\n`);
    expect(ledger.why('g26')).toMatchObject({ position: ledger.length - 1, cause: 'unknown' });
  });
});
