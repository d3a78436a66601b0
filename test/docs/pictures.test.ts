import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { machineNames } from '../../machines/admission.ts';
import { kernelRules } from '../../machines/machines.ts';
import { mermaidOf } from '../../machines/picture.ts';
import { newestKernel } from '../../machines/profile.ts';

const file = new URL('../../ARCHITECTURE.md', import.meta.url);

test('the pictures in ARCHITECTURE.md are those of the machines', () => {
  const text = readFileSync(file, 'utf8');
  let drawn = text;
  for (const name of machineNames) {
    const picture = mermaidOf(kernelRules(newestKernel).machines[name].table);
    const block = new RegExp(`<!-- machine ${name} -->[^]*?<!-- end -->`);
    expect(text, `${name} has no place in ARCHITECTURE.md`).toMatch(block);
    drawn = drawn.replace(
      block,
      `<!-- machine ${name} -->\n\`\`\`mermaid\n${picture}\n\`\`\`\n<!-- end -->`,
    );
  }
  if (process.env['UPDATE_PICTURES'] !== undefined) writeFileSync(file, drawn);
  else expect(text).toBe(drawn);
});
