/**
 * A recorded incident, replayed: a second context is refused while a file that no process can name
 * any more still holds the group, and is let in later. Run by `npm start`.
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

/** Prints a command, and then what it answers. */
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

say('What a real kernel (7.3.4) answered while two processes wanted device d0, replayed.\n');
show('import', evidence);

const ledger = await openLedger(log, { readOnly: true });
const bound = ledger.events.findIndex(({ type }) => type === 'device.bound');
const refused = ledger.events.findIndex(({ type }) => type === 'operation.refused');
await ledger.close();

say('1. P1 has bound d0 to its iommufd: group 1 is owned.\n');
show('table', '--at', String(bound));
say('2. P1 has closed the iommufd. No process can name it any more, and yet it owns the group;');
say('   P2 comes with an iommufd of its own, and is refused.\n');
show('table', '--at', String(refused));
say('   Why, and what let it through in the end:\n');
show('why', String(refused));
say('3. P1 has closed the device, and P2 is let in.\n');
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
