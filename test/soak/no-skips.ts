/**
 * A reporter for machines on which everything is installed: there a test that is skipped is a
 * failure, and is named.
 *
 * @module
 */
import type { Reporter, TestModule } from 'vitest/node';

export default class NoSkips implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        process.stderr.write(`skipped: ${module.relativeModuleId}: ${test.fullName}\n`);
        process.exitCode = 1;
      }
    }
  }
}
