/**
 * Bundles the timeline page for a browser: one script, which an HTML file can hold.
 *
 * @module
 */
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const entryOfPage = join(import.meta.dirname, '../web/page.ts');

/** The script of the page, and what it was made of. */
export interface BundledPage {
  readonly code: string;
  /** Paths of its modules. */
  readonly modules: readonly string[];
}

let page: Promise<BundledPage> | undefined;

/** The page itself, bundled once. */
export function bundledPage(): Promise<BundledPage> {
  return (page ??= bundledFrom(entryOfPage));
}

async function bundledFrom(entry: string): Promise<BundledPage> {
  const bundle = await rolldown({
    input: entry,
    platform: 'browser',
    // Without `development`, a condition under which Lit and XState are slower.
    resolve: { conditionNames: ['module', 'browser', 'import'] },
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'iife', minify: true, comments: false });
  await bundle.close();
  const [{ code, moduleIds }] = output;
  checkFitsHtml(code);
  return { code, modules: moduleIds };
}

/**
 * Throws if HTML cannot hold a script as it is: a tag of a script would end the element that the script is
 * in, and a carriage return would be read as a line feed. The bundler escapes tags in texts.
 */
export function checkFitsHtml(code: string): void {
  const [unfit] = /<\/?script|[\r\0]/i.exec(code) ?? [];
  if (unfit === undefined) return;
  throw new Error(`the page's script cannot stand in HTML: it contains ${JSON.stringify(unfit)}`);
}
