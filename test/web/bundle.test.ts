import { expect, test } from 'vitest';
import { bundledPage, checkFitsHtml } from '../../build/page.ts';

test.each(['a</script>/.exec(b)', '`</SCRIPT x`', '`<!--<script>`', '`\r`'])(
  'the build fails where the script of the page contains %s',
  (code) => {
    expect(() => checkFitsHtml(code)).toThrow(/cannot stand in HTML/);
  },
);

test('the script of the page can stand in HTML', async () => {
  const { code } = await bundledPage();
  expect(code).not.toMatch(/<\/script/i);
});
