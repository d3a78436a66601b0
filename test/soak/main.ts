/**
 * `npm run test:soak`: the campaigns, which find what is rare. Each says how much it did.
 *
 *     --only NAME        one campaign; several times for several
 *     --count NAME=N     how much: the names are those that a campaign prints
 *     --full             as much as the issues have asked for: hours
 *     --seed N           random tests begin with N, and not with that of the week
 *     --list             which campaigns there are
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { COUNTS, EFFORT } from '../support/effort.ts';
import { SEED, seedOf } from '../support/seed.ts';

/** By name, the tests that are done with the counts of a campaign. */
const campaigns: Readonly<Record<string, string>> = {
  goldens: 'test/goldens/goldens.test.ts',
  'goldens-6.1': 'test/goldens/linux-6.1.soak.ts',
  'goldens-6.12': 'test/goldens/linux-6.12.soak.ts',
  'goldens-7.3': 'test/goldens/linux-7.3.soak.ts',
  'goldens-faults': 'test/goldens/faults.soak.ts',
  'recorded-answers': 'test/host/recorded-answers.test.ts',
  'imported-answers': 'test/evidence/truth.test.ts',
  guests: 'test/evidence/guest.test.ts',
  mutants: 'test/conformance/mutants.soak.ts',
  plans: 'test/conformance/plan.test.ts',
  trials: 'test/conformance/trial.soak.ts',
  'operation-hunks': 'test/docs/operation.test.ts',
  'kernel-version': 'test/docs/contributing.test.ts',
  'help-examples': 'test/package.test.ts',
  'killed-processes': 'test/log/killed.test.ts',
  'killed-seals': 'test/log/seal.test.ts',
  'killed-volumes': 'test/log/killed-volumes.soak.ts',
  'jetstream-kills': 'test/log/jetstream/kills.soak.ts',
  'jetstream-push': 'test/log/jetstream/push.soak.ts',
  jetstream: 'test/log/jetstream/engine.test.ts',
  'jetstream-servers': 'test/log/jetstream/server.test.ts',
  replicas: 'test/log/replica.test.ts',
  stores: 'test/log/sqlite.test.ts',
  'many-processes': 'test/log/processes.test.ts',
  'eventstore-faults': 'test/log/eventstore/faults.soak.ts',
  'eventstore-program': 'test/log/eventstore/program.test.ts',
  esdb: 'test/log/eventstore/esdb.test.ts',
  kurrentdb: 'test/log/eventstore/kurrentdb.soak.ts',
  'full-disks': 'test/log/full.test.ts',
  'flipped-bytes': 'test/log/flipped.test.ts',
  'changed-wal': 'test/log/wal.test.ts',
  'five-ways': 'test/projections/index/five-ways.test.ts',
  'derived-files': 'test/projections/index/derived-files.test.ts',
  segments: 'test/projections/index/segments.test.ts',
  determinism: 'test/projections/index/determinism.test.ts',
  'hand-columns': 'test/projections/index/hand-columns.test.ts',
  'told-indexes': 'test/verify-index.test.ts',
  'forged-segments': 'test/projections/index/forged.test.ts',
  pictures: 'test/projections/index/host-at.test.ts',
  activities: 'test/projections/leaks.test.ts',
  forks: 'test/projections/index/fork.test.ts',
  'deferred-index': 'test/projections/index/deferred.test.ts',
  'bisected-expressions': 'test/projections/bisect-where.test.ts',
  tables: 'test/projections/table.test.ts',
  machines: 'test/machines/table-agrees.test.ts',
  'open-owners': 'test/machines/owner-is-open.test.ts',
  'xstate-steps': 'test/machines/xstate-steps.test.ts',
  'unshown-files': 'test/machines/unshown-file.test.ts',
  calls: 'test/host/attempt.test.ts',
  'virtual-host': 'test/virtual-host/recorded-answers.test.ts',
  scenarios: 'test/virtual-host/scenario.test.ts',
  drivers: 'test/arbitraries/driver.test.ts',
  hosts: 'test/evidence/snapshot/snapshot.test.ts',
  coverage: 'test/projections/coverage.test.ts',
  attestations: 'test/projections/attest/brute-force.test.ts',
  hands: 'test/projections/hands.test.ts',
  'touched-groups': 'test/projections/index/touched-groups.test.ts',
  lanes: 'test/projections/lanes/lanes.test.ts',
  marks: 'test/projections/lanes/marks.test.ts',
  perfetto: 'test/exports/perfetto.test.ts',
  who: 'test/projections/who.test.ts',
  'long-input': 'test/evidence/import-program.test.ts',
  'bounded-memory': 'test/evidence/bounded.test.ts',
  tracers: 'test/recorder/record-host.test.ts',
  replays: 'test/projections/replay.test.ts',
  questions: 'test/projections/questions.test.ts',
  claims: 'test/projections/audit/claimed-host.test.ts',
  verification: 'test/projections/audit/verification.test.ts',
  requests: 'test/conformance/main.test.ts',
  slices: 'test/projections/why/slice.test.ts',
  refusals: 'test/projections/why/passes-after.test.ts',
  because: 'test/projections/why/because.test.ts',
  'idle-events': 'test/projections/why/idle-events.test.ts',
  'possible-events': 'test/projections/why/possible.test.ts',
  'what-ifs': 'test/what-if.test.ts',
  without: 'test/ledger/without.test.ts',
  recorder: 'test/conformance/recorder.test.ts',
  shelves: 'test/projections/index/shelf.test.ts',
  'spoiled-evidence': 'test/evidence/mutated.test.ts',
  'any-line': 'test/evidence/strace/any-line.test.ts',
  flows: 'test/evidence/flows.test.ts',
  'hostile-names': 'test/cli/hostile-names.test.ts',
  'printable-texts': 'test/words/printable.test.ts',
  'benchmark-hosts': 'test/bench/host.test.ts',
  peers: 'test/bench/peers.test.ts',
  'kept-logs': 'test/bench/main.test.ts',
  figures: 'test/bench/figures.soak.ts',
  consumers: 'test/consumers/consumers.soak.ts',
};

const { values: options, positionals } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    count: { type: 'string', multiple: true, default: [] },
    full: { type: 'boolean', default: false },
    seed: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
  // What follows `--` is for vitest.
  allowPositionals: true,
});

function fail(message: string): never {
  process.stderr.write(`test:soak: ${message}\n`);
  process.exit(2);
}

if (options.list) {
  for (const [name, file] of Object.entries(campaigns)) process.stdout.write(`${name}  ${file}\n`);
  process.exit(0);
}

const names = options.only.length > 0 ? options.only : Object.keys(campaigns);
const files = names.map((name) => {
  const there = Object.keys(campaigns).join(', ');
  return campaigns[name] ?? fail(`no campaign '${name}'; there are ${there}`);
});
const counts = options.count.map((text): [string, number] => {
  const [, name = '', digits = ''] = /^(.+)=(\d+)$/.exec(text) ?? [];
  return name === '' ? fail(`--count takes NAME=N, not '${text}'`) : [name, Number(digits)];
});

const seed = options.seed ?? seedOf(process.env);
if (!/^-?\d+$/.test(seed)) fail(`--seed takes a number, not '${seed}'`);
process.stdout.write(`random tests begin with --seed ${seed}\n`);

const root = join(import.meta.dirname, '../..');
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const config = join(import.meta.dirname, 'vitest.config.ts');
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--config', config, '--root', root, ...positionals, ...files],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      [SEED]: seed,
      [EFFORT]: options.full ? 'full' : 'soak',
      [COUNTS]: JSON.stringify(Object.fromEntries(counts)),
    },
  },
);
process.exitCode = status ?? 1;
