import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, runCommand } from './program.ts';

/** MB of the young generation of a process that has made many objects which survive for a while. */
async function sizeAfter(setting: string): Promise<number> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepYoungGeneration } from '${join(root, 'cli/young-generation.ts')}';
    ${setting}
    const kept = [];
    for (let made = 0; made < 3e6; made++) kept[made % 3e5] = { made };
    const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    console.log(space.space_size / 2 ** 20);`;
  const { out } = await runCommand(process.execPath, ['--input-type=module', '-e', program]);
  return Number(out);
}

test('the young generation grows no more once it is told to', async () => {
  const [kept, grown] = await Promise.all([sizeAfter('keepYoungGeneration();'), sizeAfter('')]);
  expect(kept).toBeGreaterThan(0);
  expect(grown).toBeGreaterThan(4 * kept);
});
