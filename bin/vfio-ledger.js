#!/usr/bin/env node
/**
 * Starts the program: from its sources in a checkout, from the compiled `dist/` in a package.
 *
 * If the running Node is too old and the checkout has installed its own, that Node runs the program.
 */
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { constants, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const program = existsSync(path('../cli/main.ts')) ? '../cli/main.ts' : '../dist/cli.js';
const self = fileURLToPath(import.meta.url);
const ownNode = path('../node_modules/.bin/node');

const tooOld = await import('./supported-node.js').then(
  () => null,
  (error) => error,
);
if (tooOld === null) {
  // Saves a third of the start (measured).
  const folder = compileCache(process.env);
  if (folder !== null) module.enableCompileCache(folder);
  await import(new URL(program, import.meta.url).href);
} else if (existsSync(ownNode)) {
  await runWith(ownNode);
} else {
  process.stderr.write(`${tooOld.message}\n`);
  process.exitCode = 4;
}

/**
 * The folder for compiled code; null if there is none that only this user can write to: whoever can,
 * decides what the program does. So it is not in the folder for temporary files, as Node's own is, and
 * the home directory is not that of `HOME`, which sudo may have left to another user.
 */
function compileCache({ XDG_CACHE_HOME: cache = '' }) {
  try {
    const parent = isAbsolute(cache) ? cache : join(userInfo().homedir, '.cache');
    const folder = join(parent, 'vfio-ledger');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stats = lstatSync(folder);
    const isOwn = stats.isDirectory() && stats.uid === process.geteuid?.();
    return isOwn && (stats.mode & 0o022) === 0 ? folder : null;
  } catch {
    return null;
  }
}

async function runWith(node) {
  const { spawn } = await import('node:child_process');
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    process.stderr.write(`vfio-ledger: ${node} cannot be started: ${error.message}\n`);
    process.exitCode = 4;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 4) : 128 + constants.signals[signal];
    if (signal === null) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
