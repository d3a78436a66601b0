/**
 * A log without a word of VFIO, passed over by an import, beside a program that reads the same file in
 * chunks, decodes it and splits it into lines.
 *
 * @module
 */
import { closeSync, createReadStream, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { sourceOf } from '../cli/input.ts';
import { LedgerError } from '../events/ledger-error.ts';
import { readEvidence } from '../ledger/read-evidence.ts';
import { hold } from './contest.ts';
import type { Figure } from './figure.ts';
import { Random } from './host/random.ts';

/** Lines of 100 characters: 300 MB. */
const MOST = 3_000_000;
const BLOCK = 10_000;
const CHUNK = 1 << 18;

export const passedOver: Figure = async (run) => {
  const count = Math.min(run.lengths[1], MOST);
  const path = join(run.folder, 'without-vfio.log');
  write(path, count);
  const measured = await hold(
    {
      name: 'lines without a word of VFIO passed over',
      beside: 'a read in chunks, decoded and split into lines',
      target: 0.25,
      size: count,
      isLong: true,
      start: async () => ({
        turn: () => ({ ours: () => passOver(path), peer: () => split(path, count) }),
        end: async () => rmSync(path),
      }),
    },
    run,
  );
  return measured === null ? [] : [measured];
};

/** The import finds nothing, and ends with an error that says so. */
async function passOver(path: string): Promise<void> {
  try {
    await readEvidence([sourceOf(path, Readable.from([]))], {});
  } catch (error) {
    if (error instanceof LedgerError && error.message.includes('says anything of VFIO')) return;
    throw error;
  }
  throw new Error('a line was found that says something of VFIO');
}

async function split(path: string, lines: number): Promise<void> {
  const decoder = new TextDecoder();
  let count = 0;
  let rest = '';
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    const found = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
    rest = found.pop() ?? '';
    count += found.length;
  }
  if (count !== lines) throw new Error(`${count} lines were found of ${lines}`);
}

const MESSAGES = [
  'Accepted publickey for root from 10.0.0.7 port 50122 ssh2',
  'pam_unix(sshd:session): session opened for user root(uid=0)',
  'GET /index.html HTTP/1.1 200 5120 "-" "curl/8.5"',
  'Started session 4711 of user root',
  'eth0: link becomes ready, 10000 Mb/s full duplex',
  'task took 12:05.3 ms, 3 retries, queue 17 is empty',
];

/** Lines of a syslog, the same every time. */
function write(path: string, count: number): void {
  const random = new Random(11);
  const file = openSync(path, 'w');
  for (let done = 0; done < count;) {
    const lines: string[] = [];
    for (; lines.length < BLOCK && done < count; done++) {
      const second = `${Math.floor(done / 1000) % 60}`.padStart(2, '0');
      const said = MESSAGES[random.below(MESSAGES.length)] ?? '';
      const line = `Mar  4 12:00:${second} lab app[${1000 + random.below(9000)}]: ${said}`;
      lines.push(`${line.padEnd(99, '.')}\n`);
    }
    writeSync(file, lines.join(''));
  }
  closeSync(file);
}
