import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outputTo } from '../../cli/output.ts';
import { csvRecords, ended, type CsvCell } from '../../exports/csv.ts';
import { csvTable } from '../../exports/csv-tables.ts';
import { openLedger, type Ledger } from '../../ledger.ts';
import { plain } from '../../words/tone.ts';

/** Reads RFC 4180, letter by letter. */
function parsed(text: string): string[][] {
  const records: string[][] = [];
  let [record, cell, isQuoted, at]: [string[], string, boolean, number] = [[], '', false, 0];
  while (at < text.length) {
    const letter = text[at++]!;
    if (isQuoted) {
      if (letter !== '"') cell += letter;
      else if (text[at] === '"') cell += text[at++]!;
      else isQuoted = false;
    } else if (letter === '"' && cell === '') isQuoted = true;
    else if (letter === ',') {
      record.push(cell);
      cell = '';
    } else if (letter === '\r' && text[at] === '\n') {
      records.push([...record, cell]);
      [record, cell] = [[], ''];
      at++;
    } else cell += letter;
  }
  return records;
}

const cells: fc.Arbitrary<CsvCell> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '"', ',', "'", 'a') }),
  fc.constantFrom('=1+1', '+1', '-1', '@SUM', '\t=1', '\r=1', '"=1'),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const tables = fc.integer({ min: 1, max: 5 }).chain((width) => {
  return fc.array(fc.array(cells, { minLength: width, maxLength: width }), { maxLength: 8 });
});

function written(rows: readonly (readonly CsvCell[])[], isRaw: boolean): string[][] {
  const heading = (rows[0] ?? ['']).map((_, index) => `c${index}`);
  const [, ...records] = parsed([...ended(csvRecords({ heading, rows }, { isRaw }))].join(''));
  return records;
}

describe('CSV', () => {
  test('is read back by a parser of RFC 4180', () => {
    fc.assert(
      fc.property(tables, (rows) => {
        const texts = rows.map((row) => row.map((cell) => String(cell ?? '').toWellFormed()));
        expect(written(rows, true)).toEqual(texts);
      }),
    );
  });

  test('has no text that a spreadsheet takes for a formula', () => {
    fc.assert(
      fc.property(tables, (rows) => {
        for (const [index, record] of written(rows, false).entries()) {
          for (const [at, text] of record.entries()) {
            const cell = rows[index]![at];
            const own = String(cell ?? '').toWellFormed();
            const isFormula = typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell);
            expect(text).toBe(isFormula ? `'${own}` : own);
          }
        }
      }),
    );
  });

  async function incident(): Promise<Ledger> {
    const ledger = await openLedger(':memory:');
    const text = readFileSync(new URL('../../examples/incident.truth.jsonl', import.meta.url));
    await ledger.import(text.toString(), { format: 'truth' });
    return ledger;
  }

  /** The rows of a table, by the names of the columns. */
  function rowsOf(ledger: Ledger, of: 'history' | 'log' | 'table', at?: number) {
    const [heading = [], ...records] = parsed(
      [...ended(csvRecords(csvTable(ledger, of, at)))].join(''),
    );
    for (const record of records) expect(record).toHaveLength(heading.length);
    return records.map((record) => {
      return Object.fromEntries(heading.map((name, index) => [name, record[index]]));
    });
  }

  test('of the log has every event', async () => {
    await using ledger = await incident();
    const rows = rowsOf(ledger, 'log');
    expect(rows.map(({ position, time, type, hash }) => ({ position, time, type, hash }))).toEqual(
      ledger.events.map(({ position, time, type, hash }) => {
        return { position: String(position), time: time ?? '', type, hash };
      }),
    );
    expect(rows.map(({ data }) => JSON.parse(data ?? '') as unknown)).toEqual(
      ledger.log().map(({ data }) => data),
    );
  });

  test('of history has every interval and hand', async () => {
    await using ledger = await incident();
    const rows = rowsOf(ledger, 'history');
    const groups = [...new Set(rows.map(({ subject }) => subject!))];
    expect(groups.length).toBeGreaterThan(0);
    const expected = groups.flatMap((subject) =>
      ledger.history(subject).flatMap(({ from, owner, hands }) => {
        const interval = { subject, from: String(from ?? ''), owner: owner.kind };
        if (hands.length === 0) return [{ ...interval, pid: '', hand_from: '' }];
        return hands.map((hand) => ({
          ...interval,
          pid: String(hand.pid ?? ''),
          hand_from: String(hand.from ?? ''),
        }));
      }),
    );
    expect(
      rows.map(({ subject, from, owner, pid, hand_from }) => {
        return { subject, from, owner, pid, hand_from };
      }),
    ).toEqual(expected);
  });

  test('of the table has every group and device at any moment', async () => {
    await using ledger = await incident();
    for (const { position } of ledger.events) {
      const { groups, devices } = ledger.at(position).table();
      const rows = rowsOf(ledger, 'table', position);
      const states = new Map(
        rows.map(({ kind, id, state, owner }) => [`${kind} ${id}`, `${state} ${owner}`]),
      );
      expect([...states]).toEqual([
        ...groups.map(({ group, owner }) => [`group ${group}`, ` ${owner.kind}`]),
        ...devices.map(({ device, state, owner }) => [
          `device ${device}`,
          `${state} ${owner.kind}`,
        ]),
      ]);
    }
  });
});

describe('a file', () => {
  test('is not written to a terminal', async () => {
    const terminal = Object.assign(new Writable({ write: (_, __, done) => done() }), {
      isTTY: true,
    });
    const output = outputTo(terminal, plain, () => {});
    await expect(output.write(['=1'])).rejects.toThrow('> FILE');
  });

  test('is written byte by byte', async () => {
    const bytes: number[] = [];
    const stream = new Writable({
      write(chunk: Uint8Array, _, done) {
        bytes.push(...chunk);
        done();
      },
    });
    const given = Array.from({ length: 300 }, (_, index) => Uint8Array.of(index, 0, 255));
    await outputTo(stream, plain, () => {}).write(given);
    expect(bytes).toEqual(given.flatMap((piece) => [...piece]));
  });
});
