import { describe, expect, test } from 'vitest';
import { linesOf } from '../../../evidence/source.ts';
import type { Parser, Sighting } from '../../../evidence/sighting.ts';
import { concerns } from '../../../evidence/messages/concerns.ts';
import { pasteParser } from '../../../evidence/messages/log.ts';
import { looksLikeDmesg } from '../../../evidence/messages/dmesg.ts';
import { looksLikeText } from '../../../evidence/messages/text.ts';
import { kernelMessages, listingRows, programMessages } from './messages.ts';
import { wrappers } from './samples.ts';

const messages = [...kernelMessages, ...programMessages, ...listingRows];

function readBy(parser: Parser, text: string): Sighting[] {
  const shown: Sighting[] = [];
  for (const line of linesOf(text)) shown.push(...attempted(parser, line));
  return [...shown, ...parser.end()];
}

/** The first half of a message that is broken in two may be rejected. */
function attempted(parser: Parser, line: string): readonly Sighting[] {
  try {
    return parser.line(line);
  } catch {
    return [];
  }
}

const besides = new Set(['at', 'clock', 'pid', 'comm', 'tid', 'linesAgo', 'telling']);
const deeds = (shown: readonly Sighting[]) =>
  shown.map((sighting) =>
    Object.fromEntries(Object.entries(sighting).filter(([key]) => !besides.has(key))),
  );

describe.each(wrappers)('$name', ({ wrap, clock = 'none', at = null, pid, by }) => {
  test('around each message gives the events of the bare message, at its time', () => {
    for (const message of messages) {
      const bare = readBy(pasteParser(), message);
      expect(bare, message).not.toEqual([]);
      const parser = pasteParser();
      const shown = readBy(parser, wrap(message));
      expect(deeds(shown), wrap(message)).toEqual(deeds(bare));
      expect(parser.clock, wrap(message)).toBe(clock);
      for (const sighting of shown) expect(sighting.at, wrap(message)).toBe(at);
    }
  });

  test('a process that the message does not name is that of the wrapper', () => {
    for (const message of programMessages) {
      const bare = readBy(pasteParser(), message);
      const shown = readBy(pasteParser(), wrap(message));
      for (const [index, sighting] of shown.entries()) {
        const own = bare[index];
        const isNamed = own?.did === 'claim' || own?.comm != null || own?.pid != null;
        const who = isNamed ? [own.pid, own.comm] : [pid ?? null, by ?? null];
        expect([sighting.pid, sighting.comm], wrap(message)).toEqual(who);
      }
    }
  });

  test('a line of it is recognized as evidence', () => {
    for (const message of [...kernelMessages, ...programMessages]) {
      const isKnown = wrap(message)
        .split(/\r?\n|\r$/)
        .some((line) => looksLikeText(line) || looksLikeDmesg(line) || concerns(line));
      expect(isKnown, wrap(message)).toBe(true);
    }
  });
});

describe('the filter', () => {
  test.each(messages)('passes %s', (message) => {
    expect(concerns(message)).toBe(true);
  });

  test.each([
    'Mar  4 12:00:01.123456 lab sshd[17]: Accepted publickey for root',
    '2026-03-04T12:00:00.123456Z INFO request served in 12:05.3 ms',
    '[   12.345678] usb 1-1: new high-speed USB device number 2',
  ])('does not pass %s', (line) => {
    expect(concerns(line)).toBe(false);
  });
});
