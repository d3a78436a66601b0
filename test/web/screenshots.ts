/**
 * Makes the pictures of the timeline page for README: `npm run screenshots`.
 *
 * @module
 */
import { join } from 'node:path';
import type { Ledger } from '../../ledger.ts';
import { PageBrowser } from './browser.ts';
import { exportedPage } from './exported.ts';
import { busyDay, incident, leak } from './histories.ts';

const folder = join(import.meta.dirname, '../../web/pictures');

interface Picture {
  readonly history: () => Promise<Ledger>;
  /** Of the page, in its address. */
  readonly view: (ledger: Ledger) => string;
  readonly colorScheme: 'light' | 'dark';
}

/** The last refusal of a log, and the moment of it. */
const atRefusal = (ledger: Ledger) => {
  const { position } = ledger.log({ refused: true }).at(-1)!;
  return `at=${position}&refusal=${position}`;
};

const pictures: Readonly<Record<string, Picture>> = {
  incident: { history: incident, view: atRefusal, colorScheme: 'light' },
  'busy-day': {
    history: busyDay,
    view: (ledger) => `axis=time&at=${Math.floor(ledger.length / 2)}`,
    colorScheme: 'dark',
  },
  leak: { history: leak, view: atRefusal, colorScheme: 'light' },
};

const browser = await PageBrowser.launch();
for (const [name, { history, view, colorScheme }] of Object.entries(pictures)) {
  const ledger = await history();
  const viewport = { width: 1280, height: 800 };
  const html = await exportedPage(ledger);
  const { page } = await browser.open(html, { view: view(ledger), colorScheme, viewport });
  await page.getByRole('slider', { name: 'Moment' }).waitFor();
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
await browser.close();
