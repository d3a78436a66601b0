/**
 * A program that creates everything that lies beside a log, in a folder:
 *
 *     node private-files-writer.ts FOLDER
 *
 * It prints two lines of JSON, the modes of all files by their names: while the log is in use, and
 * after it was sealed.
 *
 * @module
 */
import { readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder, writePrivate } from '../../log/private-files.ts';
import { sealLog } from '../../log/seal.ts';
import { SegmentFiles } from '../../log/segment-files.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { closedMany } from './sample.ts';

const [folder = ''] = process.argv.slice(2);
const log = join(folder, 'log.ledger');

function tell(): void {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const modes = names.map((name) => {
    return [name, (statSync(join(folder, name)).mode & 0o777).toString(8)];
  });
  writeSync(1, `${JSON.stringify(Object.fromEntries(modes))}\n`);
}

const store = openSqliteStore(log);
await store.append('host', -1, closedMany(3));
if (!new SegmentFiles(log, 'host').write({ first: 0, count: 1 }, Buffer.from('segment'))) {
  throw new Error('the segment was not written');
}
tell();
await store.close();
sealLog(log);
makePrivateFolder(join(folder, 'deep', 'deeper'));
writePrivate(join(folder, 'report'), '{}');
tell();
