/**
 * `npm run goldens`: the answers of today beside those that are frozen.
 *
 *     [SET…]                compares them; exit 1 where any differ
 *     --first               ends with the first log of which any differ
 *     --freeze [SET…]       freezes them as they are today: in a commit of its own, with the reason
 *     --freeze-keys         freezes which keys count, from the answers of today
 *     --show LOG VERB       prints what is answered, as JSON lines
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { compare, freeze, freezeKeys, setsNamed } from './frozen.ts';
import { differenceLine } from './golden.ts';
import { questionsOf } from './questions.ts';

const { values: options, positionals } = parseArgs({
  options: {
    first: { type: 'boolean', default: false },
    freeze: { type: 'boolean', default: false },
    'freeze-keys': { type: 'boolean', default: false },
    show: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

const print = (line: string) => process.stdout.write(`${line}\n`);
const tell = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\u001b[K${text}`);

if (options.show) await show();
else if (options['freeze-keys']) await freezeKeys(setsNamed(positionals), tell);
else if (options.freeze) for (const set of setsNamed(positionals)) await freeze(set, tell);
else await compareAll();
tell('');

async function compareAll(): Promise<void> {
  for (const set of setsNamed(positionals)) {
    const { first: stopsEarly } = options;
    const { differences, logs, compared } = await compare(set, { tell, stopsEarly });
    tell('');
    for (const difference of differences) print(differenceLine(difference));
    print(
      `${set.name}: ${compared} parts of answers about ${logs} logs, ${differences.length} differ`,
    );
    if (differences.length === 0) continue;
    process.exitCode = 1;
    if (stopsEarly) return;
  }
}

async function show(): Promise<void> {
  const [name, verb] = positionals;
  for (const log of setsNamed([]).flatMap((set) => set.logs())) {
    if (log.name !== name) continue;
    await log.use(async (ledger, more) => {
      for (const question of [...more, ...questionsOf(ledger)]) {
        if (question.verb !== verb) continue;
        for (const { at, value } of question.ask()) {
          print(JSON.stringify({ asked: question.asked, at, value }));
        }
      }
    });
  }
}
