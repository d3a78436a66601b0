import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';
import type { Lane } from '../../projections/lanes/lanes.ts';
import { holdersWords, ownerWords } from '../../words/owners.ts';
import { laneWords, lookWords } from '../../words/pictures.ts';
import { printable } from '../../words/printable.ts';
import { hostTopology, twoContexts } from '../cli/program.ts';
import { hostileLogs } from '../support/hostile-names.ts';
import { hasChromium, PageBrowser, type OpenedPage } from './browser.ts';
import { exportedPage } from './exported.ts';

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

interface AxeResults {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly unknown[] }[];
}

/** What axe finds wrong with a page. It is evaluated by the debugger, which the page's policy does not bind. */
async function faultsByAxe(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
  return violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes)}`);
}

function groupsAt(ledger: Ledger, position: number): string[][] {
  return ledger
    .at(position)
    .table()
    .groups.map(({ group, owner, since }) => [
      printable(group),
      printable(ownerWords(owner)),
      String(since ?? '-'),
      printable(holdersWords(owner.holders)),
    ]);
}

/** What a page shows as the groups at each of these moments, in a view. */
async function shownAt(
  page: Page,
  positions: readonly number[],
  view: Readonly<Record<string, unknown>> = {},
): Promise<ShownMoment[]> {
  const asked = JSON.stringify([positions, view]);
  return (await page.evaluate(`(async ([positions, view]) => {
    const timeline = document.querySelector('ledger-timeline');
    const root = timeline.shadowRoot;
    const textOf = (element) => element.textContent.trim();
    const shown = [];
    for (const at of positions) {
      timeline.view = { ...timeline.view, ...view, at };
      await timeline.updateComplete;
      const lanes = root.querySelector('ledger-lanes');
      await lanes.updateComplete;
      shown.push({
        rows: [...root.querySelectorAll('#table tbody tr')].map((row) => [...row.children].map(textOf)),
        lanes: [...lanes.shadowRoot.querySelectorAll('button[aria-label]')].map((button) => button.ariaLabel),
      });
    }
    return shown;
  })(${asked})`)) as ShownMoment[];
}

/** What a page shows of a moment. */
interface ShownMoment {
  readonly rows: readonly (readonly string[])[];
  readonly lanes: readonly string[];
}

/** How the lanes of a history are called at a position. */
function lanesAt(lanes: readonly Lane[], position: number): string[] {
  return lanes.map((lane) => {
    const stretch = lane.stretches.find(({ from, to }) => from <= position && position < to);
    return printable(`${laneWords(lane)}: ${stretch === undefined ? '' : lookWords(stretch)}`);
  });
}

describe.skipIf(!hasChromium)('the timeline page', () => {
  let browser: PageBrowser;
  let ledger: Ledger;
  let html: string;
  beforeAll(async () => {
    browser = await PageBrowser.launch();
    ledger = await openLedger(':memory:');
    const topology = JSON.parse(readFileSync(hostTopology, 'utf8')) as object;
    await ledger.simulate(readFileSync(twoContexts, 'utf8'), { topology, profile: 'linux-7.3' });
    html = await exportedPage(ledger);
  });
  afterAll(() => browser.close());

  /** The page asked for nothing but its file, and complained of nothing. */
  function expectQuiet({ complaints, requests, address }: OpenedPage): void {
    expect(complaints).toEqual([]);
    expect(requests.map((request) => request.replace(/#.*/, ''))).toEqual([address]);
  }

  test('shows the table of the moment at which the bar stands', async () => {
    const opened = await browser.open(html);
    const { page } = opened;
    const bar = page.getByRole('slider', { name: 'Moment' });
    await bar.focus();
    await bar.press('Home');
    await bar.press('ArrowRight');
    await page.getByRole('heading', { name: 'At position 0:' }).waitFor();
    const positions = ledger.events.map(({ position }) => position);
    const shown = await shownAt(page, positions);
    expect(shown.map(({ rows }) => rows)).toEqual(positions.map((at) => groupsAt(ledger, at)));
    const lanes = ledger.lanes();
    expect(shown.map((moment) => moment.lanes)).toEqual(positions.map((at) => lanesAt(lanes, at)));
    expectQuiet(opened);
  });

  test('explains a refusal, and goes on without what led to it', async () => {
    const opened = await browser.open(html);
    const { page } = opened;
    await page.getByRole('button', { name: /^refusal on 0000:3b:00.1, position 16/ }).click();
    const why = ledger.why(16);
    const refusal = page.getByRole('region', { name: 'Refusal' });
    expect(await refusal.locator('pre').textContent()).toBe(ledger.explain(why));
    const [left = -1] = why.because;
    await refusal.getByRole('button', { name: `What if without ${left}?` }).click();
    await page.getByText(/^What if: this is not history/).waitFor();
    expect(await faultsByAxe(page)).toEqual([]);
    await page.getByRole('button', { name: 'Back to history' }).click();
    await page.getByText(/^What if: this is not history/).waitFor({ state: 'detached' });
    expectQuiet(opened);
  });

  test('a what-if has the lanes of the library', async () => {
    const { page } = await browser.open(html);
    await page.getByRole('table', { name: 'Groups' }).waitFor();
    const refusals = ledger.log({ refused: true });
    const led = new Set(refusals.flatMap(({ position }) => ledger.why(position).because));
    expect(led.size).toBeGreaterThan(1);
    for (const without of led) {
      const supposed = ledger.without([without]);
      const positions = Array.from({ length: supposed.length }, (_, index) => index);
      const shown = await shownAt(page, positions, { without });
      const lanes = supposed.lanes();
      expect(shown.map((moment) => moment.lanes)).toEqual(
        positions.map((at) => lanesAt(lanes, at)),
      );
    }
  });

  test.each(['light', 'dark'] as const)('axe finds nothing wrong in %s colours', async (scheme) => {
    const opened = await browser.open(html, { colorScheme: scheme });
    await opened.page.getByRole('table', { name: 'Groups' }).waitFor();
    expect(await faultsByAxe(opened.page)).toEqual([]);
    expectQuiet(opened);
  });

  test('is used by the keyboard alone', async () => {
    const opened = await browser.open(html);
    const { keyboard } = opened.page;
    await opened.page.getByRole('table', { name: 'Groups' }).waitFor();
    await keyboard.press('0');
    await keyboard.press('R');
    await opened.page.getByRole('region', { name: 'Refusal' }).waitFor();
    await keyboard.press('c');
    await keyboard.press('p');
    await opened.page.getByRole('region', { name: 'Changes' }).waitFor();
    await keyboard.press('/');
    await keyboard.type('gpu');
    await keyboard.press('Enter');
    await opened.page.getByRole('status', { name: 'Found' }).waitFor();
    await opened.page.waitForURL(/#.*search=gpu/);
    expectQuiet(opened);
  });

  test('has ten marks and a table in the accessibility tree', async () => {
    const { page } = await browser.open(html);
    const tree = await page.getByRole('region', { name: 'Marks in view' }).ariaSnapshot();
    const marks = tree.match(/button "[^"]+"/g) ?? [];
    expect(marks.slice(0, 10)).toEqual(
      [
        'refusal on 0000:3b:00.1, position 16',
        'refusal on 0000:3b:00.1, position 20',
        'refusal on 0000:3b:00.0, position 24',
        'refusal on 41, position 34',
        'refusal on 0000:5e:00.0, position 38',
        'boot, position 0',
        'exit, position 19',
        'exit, position 25',
        'device change, position 1',
        'device change, position 2',
      ].map((name) => `button "${name}"`),
    );
    const table = await page.getByRole('table', { name: 'Groups' }).ariaSnapshot();
    expect(table).toContain('row "26 iommufd f22 26 P3[103] fd 3, 4"');
    expect(table).toContain('columnheader "Owner"');
  });

  test('runs no script but its own', async () => {
    const opened = await browser.open(
      html.replace('<div id="page">', '<script>document.title = "run"</script><div id="page">'),
    );
    await opened.page.getByRole('table', { name: 'Groups' }).waitFor();
    expect(await opened.page.title()).toBe(`host: ${ledger.length} events`);
    expect(opened.complaints.join()).toMatch(/Content Security Policy/);
  });

  test('hostile names are text', async () => {
    const names = [
      '</script><script>document.title = "run"</script>',
      '"><img src=x onerror="document.title = 1">',
      '<!--<script>',
      '\u202egnp.exe',
      "'${document.title = 1}`",
    ];
    for (const events of hostileLogs(names)) {
      const hostile = await openLedger(':memory:', { host: `</title>${names[0]}` });
      await hostile.append(-1, events);
      await hostile.refresh();
      const opened = await browser.open(await exportedPage(hostile));
      const { page } = opened;
      await page.getByRole('table', { name: 'Groups' }).waitFor();
      const { position } = hostile.head;
      const [shown] = await shownAt(page, [position]);
      const visible = (rows: readonly (readonly string[])[]) =>
        rows.map((row) => row.map((cell) => cell.trim()));
      expect(shown?.rows).toEqual(visible(groupsAt(hostile, position)));
      expect(await page.title()).toMatch(/^<\/title><\/script>/);
      expectQuiet(opened);
    }
  });

  test('an empty log is a page, too', async () => {
    const opened = await browser.open(await exportedPage(await openLedger(':memory:')));
    await opened.page.getByRole('heading', { level: 1 }).waitFor();
    expectQuiet(opened);
  });
});
