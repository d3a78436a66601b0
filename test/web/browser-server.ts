/**
 * Starts Chromium for the process that started this one, prints where it listens, and ends with its
 * standard input. Playwright makes functions from strings, which the tests' own processes are refused.
 *
 * @module
 */
import { chromium } from 'playwright-core';

// As root Chromium has no sandbox. Drawing is by software, as on a machine of tests.
const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
const server = await chromium.launchServer({ executablePath: '/usr/bin/chromium', args });
process.stdout.write(`${server.wsEndpoint()}\n`);
process.stdin.on('end', () => void server.close()).resume();
