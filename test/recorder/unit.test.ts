/** The systemd unit: what it closes, and that nothing more is open than tracing needs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verbs } from '../../cli/verbs.ts';

const text = readFileSync(join(import.meta.dirname, '../../recorder/vfio-ledger.service'), 'utf8');
const lines = text.split('\n').filter((line) => /^\w+=/.test(line));
/** By name, the values of a setting; lists may stand in several lines. */
const settings = Map.groupBy(
  lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  ([name = '']) => name,
);
const valuesOf = (name: string) =>
  (settings.get(name) ?? []).flatMap(([, value = '']) => value.split(' '));
const valueOf = (name: string) => valuesOf(name).join(' ');

/** Settings that close something, as `systemd-analyze security` lists them. */
const closed: Readonly<Record<string, string>> = {
  DevicePolicy: 'closed',
  IPAddressDeny: 'any',
  KeyringMode: 'private',
  LockPersonality: 'yes',
  NoNewPrivileges: 'yes',
  PrivateMounts: 'yes',
  PrivateNetwork: 'yes',
  PrivateTmp: 'yes',
  ProtectClock: 'yes',
  ProtectControlGroups: 'yes',
  ProtectHome: 'yes',
  ProtectHostname: 'yes',
  ProtectKernelModules: 'yes',
  ProtectSystem: 'strict',
  RestrictAddressFamilies: 'AF_UNIX',
  RestrictNamespaces: 'yes',
  RestrictRealtime: 'yes',
  RestrictSUIDSGID: 'yes',
  StateDirectoryMode: '0700',
  SystemCallArchitectures: 'native',
  SystemCallErrorNumber: 'EPERM',
  UMask: '0077',
};

test.each(Object.entries(closed))('%s=%s', (name, value) => {
  expect(valueOf(name)).toBe(value);
});

test('only what tracing needs is open, and the unit says why', () => {
  const open = ['no', 'default', 'all', 'auto', '0'];
  const found = [...settings.keys()].filter((name) => open.includes(valueOf(name)));
  expect(found.toSorted()).toEqual([
    'MemoryDenyWriteExecute',
    'PrivateDevices',
    'PrivateUsers',
    'ProcSubset',
    'ProtectKernelLogs',
    'ProtectKernelTunables',
    'ProtectProc',
  ]);
  for (const name of ['CapabilityBoundingSet', 'SystemCallFilter', ...found]) {
    const before =
      text
        .slice(0, text.indexOf(`\n${name}=`))
        .split('\n\n')
        .at(-1) ?? '';
    expect(before, name).toMatch(/^# /m);
  }
});

test('the capabilities are those of tracers and of reading /proc', () => {
  expect(valuesOf('CapabilityBoundingSet').toSorted()).toEqual([
    'CAP_BPF',
    'CAP_DAC_READ_SEARCH',
    'CAP_PERFMON',
    'CAP_SYSLOG',
    'CAP_SYS_ADMIN',
    'CAP_SYS_PTRACE',
    'CAP_SYS_RESOURCE',
  ]);
});

test('system calls are those of any service, without privileged ones but for bpftrace', () => {
  const [allowed, ...others] = settings.get('SystemCallFilter') ?? [];
  expect([allowed, ...others].map((line) => line?.[1])).toEqual([
    '@system-service',
    '~@privileged @resources',
    'bpf perf_event_open',
  ]);
});

describe('the recorder can work', () => {
  test('it is started with a verb that there is, on a log in its own folder', () => {
    const [, verb = ''] =
      /^\/usr\/bin\/env vfio-ledger (\w+) --log \$\{STATE_DIRECTORY\}\/\S+$/.exec(
        valueOf('ExecStart'),
      ) ?? [];
    expect([...verbs.keys()]).toContain(verb);
    expect(valueOf('StateDirectory')).toBe('vfio-ledger');
  });

  test('it may write where ftrace.sh writes', () => {
    const script = readFileSync(join(import.meta.dirname, '../../recorder/ftrace.sh'), 'utf8');
    const folders = [...script.matchAll(/\/sys\/kernel\/(\w+)/g)].map(([path]) => path);
    expect(folders).not.toEqual([]);
    for (const folder of folders) expect(valuesOf('ReadWritePaths')).toContain(`-${folder}`);
  });

  test('it gets the first signal, and its tracer only what is left', () => {
    expect(valueOf('KillMode')).toBe('mixed');
    expect(Number(valueOf('TimeoutStopSec'))).toBeGreaterThanOrEqual(30);
  });
});
