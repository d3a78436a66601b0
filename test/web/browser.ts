/**
 * A page in Debian's Chromium, without a network.
 *
 * @module
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Whether pages can be opened here. Where tests may not be skipped, `.ci/run` installs Chromium. */
export const hasChromium = existsSync(executablePath);

/** A page, and what it did besides. */
export interface OpenedPage {
  readonly page: Page;
  /** Errors and warnings of its console, uncaught errors among them. */
  readonly complaints: readonly string[];
  /** Addresses that it asked for. */
  readonly requests: readonly string[];
  /** The address of its file. */
  readonly address: string;
}

/** A browser for the tests of one file. */
export class PageBrowser {
  readonly #browser: Browser;
  readonly #folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-page-'));
  #files = 0;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<PageBrowser> {
    // As root Chromium has no sandbox. Drawing is by software, as on a machine of tests.
    const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
    return new PageBrowser(await chromium.launch({ executablePath, args }));
  }

  /** Opens a file with this text from the disk; `view` is what stands behind `#` in the address. */
  async open(
    html: string,
    { view = '', ...options }: BrowserContextOptions & { readonly view?: string } = {},
  ): Promise<OpenedPage> {
    const path = join(this.#folder, `${this.#files++}.html`);
    writeFileSync(path, html);
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
      ...options,
      offline: true,
    });
    const page = await context.newPage();
    const [complaints, requests]: [string[], string[]] = [[], []];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => requests.push(request.url()));
    const address = String(pathToFileURL(path));
    await page.goto(address + (view === '' ? '' : `#${view}`));
    return { page, complaints, requests, address };
  }

  async close(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#folder, { recursive: true });
  }
}
