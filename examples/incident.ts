/**
 * Replays a recorded incident: a second iommufd is refused while the first, of which no process has a
 * descriptor any more, still owns the group; later it gets the group. Run by `npm start`.
 *
 * @module
 */
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLedger } from '../ledger.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const evidence = 'examples/incident.truth.jsonl';
const log = join(mkdtempSync(join(tmpdir(), 'vfio-ledger-')), 'incident.ledger');

/** Prints a command and its answer. */
function show(...words: string[]): void {
  say(`$ npx vfio-ledger ${words.join(' ')} --log ${log}`);
  const options: SpawnSyncOptions = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
  const { status } = spawnSync(process.execPath, ['cli/main.ts', ...words, '--log', log], options);
  if (status !== 0) process.exit(status ?? 4);
  say('');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

say('Replays what a real kernel (7.3.4) answered when two processes wanted device d0.\n');
show('import', evidence);

const ledger = await openLedger(log, { readOnly: true });
const bound = ledger.events.findIndex(({ type }) => type === 'device.bound');
const refused = ledger.events.findIndex(({ type }) => type === 'operation.refused');
await ledger.close();

say('1. P1 has bound d0 to its iommufd, which now owns group 1.\n');
show('table', '--at', String(bound));
say(
  '2. P1 has closed the iommufd. No process has a descriptor of it, but it still owns the group.',
);
say('   P2 tries to bind d0 to another iommufd, and is refused.\n');
show('table', '--at', String(refused));
say('   Why, and what let P2 have it later:\n');
show('why', String(refused));
say('3. P1 has closed the device, and P2 has bound it.\n');
show('table');

say('Try next, from this folder:\n');
for (const next of [
  `who d0 --at ${refused}`,
  'history d0',
  `diff ${bound} end`,
  'log d0 --refused',
  'verify',
]) {
  say(`  npx vfio-ledger ${next} --log ${log}`);
}
say('  npx vfio-ledger --help');
