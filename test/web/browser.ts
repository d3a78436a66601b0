/**
 * A page in Debian's Chromium, without a network.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/** Whether pages can be opened here. Where tests may not be skipped, `.ci/run` installs Chromium. */
export const hasChromium = existsSync('/usr/bin/chromium');

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

  readonly #server: ChildProcess;

  private constructor(browser: Browser, server: ChildProcess) {
    this.#browser = browser;
    this.#server = server;
  }

  static async launch(): Promise<PageBrowser> {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const program = join(import.meta.dirname, 'browser-server.ts');
    const server = spawn(process.execPath, [program], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const [address] = (await once(server.stdout, 'data')) as [Buffer];
    return new PageBrowser(await chromium.connect(String(address).trim()), server);
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
    this.#server.stdin?.end();
    await once(this.#server, 'exit');
    rmSync(this.#folder, { recursive: true });
  }
}
