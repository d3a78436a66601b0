/** A log behind a symbolic link: its volumes and its index lie beside the file, not beside the link. */
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { retainLog } from '../../log/retention.ts';
import { sealLog } from '../../log/seal.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { behindLinks } from '../../log/volume-files.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';
import { closedMany, readAll } from './sample.ts';

const root = temporaryFolder();

/** Folders `real` and `links`, and in the second a link to where a log is to be. */
function linked(): { readonly log: string; readonly link: string; readonly links: string } {
  const folder = newFolderIn(root);
  const [real, links] = [join(folder, 'real'), join(folder, 'links')];
  for (const each of [real, links]) mkdirSync(each);
  symlinkSync('../real/host.ledger', join(links, 'first'));
  symlinkSync('first', join(links, 'host.ledger'));
  return { log: join(real, 'host.ledger'), link: join(links, 'host.ledger'), links };
}

test('is created, sealed and read where it lies', async () => {
  const { log, link, links } = linked();
  const store = openSqliteStore(link);
  await store.append('a', -1, closedMany(2));
  expect(sealLog(link)).toMatchObject({ sealed: log, next: `${log}.0002` });
  await store.append('a', 1, closedMany(2, 2));
  await store.close();
  for (const path of [log, link]) {
    const reader = openSqliteStore(path, { readOnly: true });
    expect(await readAll(reader, 'a')).toHaveLength(4);
    expect(await reader.missing()).toBeNull();
    // The index lies beside it.
    expect(reader.path).toBe(log);
    await reader.close();
  }
  expect(readdirSync(links).toSorted()).toEqual(['first', 'host.ledger']);
});

test('of a file that was archived leads to the files after it', async () => {
  const { log, link, links } = linked();
  const topology = {
    kernel: '6.12.1',
    iommufd: true,
    devices: [{ name: 'd0', bdf: '0000:01:00.0', group: 1, driver: 'vfio-pci', cdev: 'vfio0' }],
  };
  for (const _ of [1, 2]) {
    const ledger = await openLedger(link);
    await ledger.simulate('open_iommufd I\n', { topology });
    await ledger.close();
    sealLog(link);
  }
  const archive = join(links, 'archive');
  mkdirSync(archive);
  const at = '2026-11-25T10:00:00Z';
  const { gone } = await retainLog(link, { keep: 1, archive, at });
  expect(gone).toEqual([{ file: log, to: join(archive, 'host.ledger') }]);
  expect(lstatSync(join(archive, 'host.ledger')).isFile()).toBe(true);
  expect(existsSync(log)).toBe(false);
  const ledger = await openLedger(link, { readOnly: true });
  expect(ledger.first).toBeGreaterThan(0);
  expect(ledger.verify().faults).toEqual([]);
  await ledger.close();
});

test('that leads to itself is an error, and not another log', () => {
  const { links } = linked();
  const loop = join(links, 'loop');
  symlinkSync('loop', loop);
  expect(() => openSqliteStore(loop)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  expect(behindLinks(join(links, 'none'))).toBe(join(links, 'none'));
});

test('with the next files beside the link is a first file that lies elsewhere', async () => {
  const { log, link, links } = linked();
  const store = openSqliteStore(log);
  await store.append('a', -1, closedMany(2));
  sealLog(log);
  await store.append('a', 1, closedMany(2, 2));
  await store.close();
  renameSync(`${log}.0002`, `${link}.0002`);
  const reader = openSqliteStore(link, { readOnly: true });
  expect(await readAll(reader, 'a')).toHaveLength(4);
  await reader.close();
  expect(sealLog(link)).toMatchObject({ next: `${link}.0003` });
  expect(readdirSync(links)).toContain('host.ledger.0003');
});
