import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../../ledger.ts';

async function pasted(text: string) {
  const ledger = await openLedger(':memory:');
  const report = await ledger.import(text);
  return { ledger, report };
}

const refusals = (ledger: Ledger) => [...ledger.each('operation.refused')];
const busy = (group: number) => `Cannot open /dev/vfio/${group}: Device or resource busy`;

describe('what begins like a record and is none', () => {
  const refused = `EAL: ${busy(57)}`;
  const field = '  "MESSAGE": "nothing",';
  test.each([
    ['cut off before a line', ['{', field, refused], 3],
    ['cut off at the end', ['{', `  "MESSAGE": "${refused}"`], 2],
    ['no JSON', ['{', field, `  "MESSAGE": "${refused}`, '}'], 3],
    ['too long', ['{', ...Array.from({ length: 1500 }, () => field), refused], 1502],
    ['an export without a message', ['__X=1', refused], 2],
    [
      'an export that is too long',
      ['__X=1', 'MESSAGE=no', ...Array(1500).fill('x'), refused],
      1503,
    ],
  ])('%s', async (_, lines, line) => {
    const { ledger, report } = await pasted([`EAL: ${busy(58)}`, ...lines].join('\n'));
    expect(refusals(ledger).map(({ data }) => data.evidence?.line)).toEqual([1, line + 1]);
    expect(report).toMatchObject({ read: lines.length + 1, passedOver: lines.length - 1 });
  });

  test('a brace alone in a log', async () => {
    const lines = Array.from(
      { length: 300 },
      (_, index) => `Mar  4 12:00:01 lab vmm[${index}]: ${busy(57)}`,
    );
    const { ledger, report } = await pasted(lines.toSpliced(11, 0, '{').join('\n'));
    expect(refusals(ledger)).toHaveLength(300);
    expect(report).toMatchObject({ read: 301, passedOver: 1 });
  });
});
