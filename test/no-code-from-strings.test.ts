import { expect, test } from 'vitest';
import { runCommand } from './cli/program.ts';

// All other tests run like this: those of the importers, and `test/interface`, which asks every verb.
test('no test, and no program in one, can make code from strings', async () => {
  expect(() => Reflect.construct(Function, ['return 1'])).toThrow(EvalError);
  const { code, err } = await runCommand(process.execPath, ['-e', "new Function('return 1')"]);
  expect(code).toBe(1);
  expect(err).toContain('EvalError');
});
