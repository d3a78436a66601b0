/**
 * The timeline as one HTML file: a log and the script that shows it, both compressed. The file needs no
 * network, and its policy permits none: a browser runs the two scripts whose hashes it names, the loader
 * and the page's.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createDeflate } from 'node:zlib';
import type { Ledger } from '../ledger.ts';
import { pageTitle, WITHOUT_SCRIPT } from '../words/pictures.ts';

/** Decompresses the script of the page, and runs it as an element that the policy allows by its hash. */
const loader = `
const packed = atob(document.querySelector('#page-script').textContent);
const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
new Response(text).text().then((code) => {
  const script = document.createElement('script');
  script.textContent = code;
  document.body.append(script);
});
`;

/** What the file holds besides words. */
interface Contents {
  /** The log in JSON lines, without line feeds. */
  readonly lines: Iterable<string>;
  /** The bundled page. */
  readonly script: string;
}

/** The pieces of the file, in order. */
export async function timelineHtml(ledger: Ledger, { lines, script }: Contents): Promise<string[]> {
  const { host, length, firstTime, lastTime } = ledger;
  const title = pageTitle(host, length, firstTime, lastTime);
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(loader)} ${hashOf(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const head = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${escaped(title)}</title>`,
    '</head>',
    '<body>',
    '<div id="page"></div>',
    `<noscript><p>${escaped(WITHOUT_SCRIPT)}</p></noscript>`,
    '<script type="application/octet-stream" id="log">',
  ];
  return [
    head.join('\n'),
    await packed(withHost(host, lines)),
    '</script>\n<script type="application/octet-stream" id="page-script">',
    await packed([script]),
    `</script>\n<script>${loader}</script>\n</body>\n</html>\n`,
  ];
}

/** How a policy names an inline script. */
function hashOf(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}

/** Text, compressed with deflate (zlib), in base64: nothing in it ends an element. */
async function packed(text: Iterable<string>): Promise<string> {
  const bytes = await buffer(Readable.from(text).pipe(createDeflate({ level: 9 })));
  return bytes.toString('base64');
}

/** The log, after a line that names its host. */
function* withHost(host: string, lines: Iterable<string>): Generator<string> {
  yield `${JSON.stringify({ host })}\n`;
  for (const line of lines) yield `${line}\n`;
}

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Text as HTML; what an element holds and a reader would not see is escaped by `printable` before. */
function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => references[character] ?? '');
}
