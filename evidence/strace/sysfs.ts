/**
 * Reads writes to `/sys` that bind or unbind a driver.
 *
 * @module
 */
import type { Deed } from '../sighting.ts';
import { pastArgumentName, shownFd, stringIn, withoutNames, type StraceCall } from './call.ts';

const LESS = 60;

/** Whether a write goes to `/sys`, by the beginning of its arguments. */
export function mayBeToSysfs(text: string, from: number): boolean {
  let at = pastArgumentName(text, from);
  for (let code = text.charCodeAt(at); code >= 48 && code <= 57;) code = text.charCodeAt(++at);
  if (text.charCodeAt(at) !== LESS) return false;
  return text.startsWith('/sys/bus/pci/', at + 1) || text.startsWith('\\x2f\\x73\\x79', at + 1);
}

/** The deed of an unbind that has begun: it blocks while a process holds the device. */
export function sysfsBegun(args: readonly string[]): Deed | null {
  const write = writeIn(args);
  if (write?.verb !== 'unbind') return null;
  return { did: 'unbind', device: write.device, driver: write.driver, done: false };
}

/** The deed of a bind or an unbind that has returned. */
export function sysfsDeed({ args, returned }: StraceCall): Deed | null {
  const write = writeIn(args);
  if (write === null || returned === null) return null;
  const { device, driver } = write;
  const { result } = returned;
  if (write.verb === 'unbind') {
    return 'rc' in result ? { did: 'unbind', device, driver, done: true } : null;
  }
  return driver === null ? null : { did: 'bind-driver', device, driver, result };
}

interface Write {
  readonly verb: 'bind' | 'unbind';
  readonly device: string;
  readonly driver: string | null;
}

const FILE =
  /^\/sys\/bus\/pci\/(?:drivers\/([^/]+)\/(bind|unbind)|devices\/[^/]+\/driver\/(unbind))$/;
const DEVICE = /^\s*([\da-f]{4,}:[\da-f]{2}:[\da-f]{2}\.[0-7])\s*$/i;

function writeIn(args: readonly string[]): Write | null {
  const [on = '', written = ''] = withoutNames(args);
  const file = FILE.exec(shownFd(on).path ?? '');
  // writev: [{iov_base="0000:06:0d.0\n", iov_len=13}]
  const quote = written.indexOf('"');
  const text = quote === -1 ? null : stringIn(written.slice(quote));
  const device = DEVICE.exec(text?.text ?? '')?.[1];
  if (file === null || device === undefined) return null;
  const verb = file[2] === 'bind' ? 'bind' : 'unbind';
  return { verb, device: device.toLowerCase(), driver: file[1] ?? null };
}
