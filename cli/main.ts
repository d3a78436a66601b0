/**
 * The program: `vfio-ledger VERB …`.
 *
 * @module
 */
import { dispatch, told } from './dispatch.ts';
import { outputTo, sayTo } from './output.ts';
import { paintFor } from './paint.ts';
import { progressOn } from './progress.ts';

// Without a reader of standard error the program still ends with its exit code.
process.stderr.on('error', () => {});
const progress = progressOn(process.stderr);
const say = sayTo(process.stderr, progress.clear);
// Thrown where no verb catches it. Node would print it as it is, and end with 1, which means "no".
process.on('uncaughtException', (error) => process.exit(told(error, { say })));
process.exitCode = await dispatch(process.argv.slice(2), {
  get stdin() {
    return process.stdin;
  },
  out: outputTo(process.stdout, paintFor(process.stdout, process.env), progress.clear),
  say,
  progress,
  env: process.env,
});
