/**
 * `push` and `pull`: ship a log to a server or another file, or from one.
 *
 * @module
 */
import { dirname } from 'node:path';
import { RequestError, shipLog, type Shipped } from '../ledger.ts';
import { makePrivateFolder } from '../log/private-files.ts';
import { columns, type Line } from '../words/columns.ts';
import { shippedWords, shippingWords } from '../words/shipping.ts';
import { exit } from './failure.ts';
import { addressOf, logOptions, type LogValues } from './log-file.ts';
import { show, verb, type Io } from './verb.ts';

const details = [
  'ADDRESS is that of a server, such as nats://HOST, or the path of another log. Events keep position,',
  'hash and id; each is verified when it arrives. All hosts of the log are shipped, or the one of --host.',
  'An interrupted shipment is continued by the same command: nothing is shipped twice. If the two logs',
  'have different events of a host, nothing of that host is shipped, and the exit code is 4. If a host is',
  'damaged, what comes before the damage is shipped, and the exit code is 3. The other hosts are shipped,',
  'and what has arrived is printed.',
];

const shippingOptions = {
  log: logOptions.log,
  host: { type: 'string', value: 'NAME', help: 'ship only this host; default: all' },
  json: { type: 'boolean', help: 'print one JSON value' },
} as const;

/** Appends to another log what it lacks of this one. */
export const push = verb({
  name: 'push',
  usage: 'push --to ADDRESS [--host NAME]',
  summary: 'Ships the log to a server or to another file, continuing where the last push ended',
  details: [
    ...details,
    'Sealed volumes are shipped with the log. An archived one is shipped by its own path (--log), before',
    'those that follow it.',
  ],
  options: {
    to: { type: 'string', value: 'ADDRESS', help: 'where to ship the log' },
    ...shippingOptions,
  },
  operands: [0, 0],
  examples: ['vfio-ledger push --to fleet.ledger --log demo.ledger'],
  async answer({ values }, io) {
    const { path } = addressOf(values, io.env);
    return shipped(path, given('push', '--to', values.to), values, io);
  },
});

/** Appends to this log what it lacks of another one. */
export const pull = verb({
  name: 'pull',
  usage: 'pull --from ADDRESS [--host NAME]',
  summary: 'Ships a log from a server or another file, continuing where the last pull ended',
  details: [...details, 'The log is created if it is missing, with its first event.'],
  options: {
    from: { type: 'string', value: 'ADDRESS', help: 'where the log comes from' },
    ...shippingOptions,
  },
  operands: [0, 0],
  examples: ['vfio-ledger pull --from demo.ledger --log pulled.ledger'],
  async answer({ values }, io) {
    const { path, byDefault } = addressOf(values, io.env);
    const from = given('pull', '--from', values.from);
    if (byDefault) makePrivateFolder(dirname(path));
    return shipped(from, path, values, io);
  },
});

function given(name: string, option: string, address: string | undefined): string {
  if (address !== undefined && address !== '') return address;
  throw new RequestError(`${name} needs ${option} ADDRESS: a server, or the path of a log`);
}

async function shipped(
  from: string,
  to: string,
  { host, json }: LogValues & { readonly json?: boolean },
  io: Io,
): Promise<number> {
  const unfinished: Shipped[] = [];
  const told = async (answer: Shipped) =>
    show(io, json, answer, ({ hosts }): Line[] => [
      shippedWords(
        hosts.reduce((sum, each) => sum + each.shipped, 0),
        answer.from,
        answer.to,
      ),
      ...columns(
        hosts.map((each) => [each.host, String(each.shipped), each.head]),
        ['HOST', 'SHIPPED', 'HEAD'],
      ),
    ]);
  try {
    const answer = await shipLog({
      from,
      to,
      host,
      progress: ({ arrived, all }) => io.progress.tell(shippingWords(arrived, all)),
      note: (words) => io.say(`vfio-ledger: ${words}`),
      unfinished: (so) => unfinished.push(so),
    });
    await told(answer);
    return exit.done;
  } catch (error) {
    for (const answer of unfinished) await told(answer);
    throw error;
  }
}
