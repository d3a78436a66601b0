/**
 * `seal`: ends the newest file of the log, and begins the next.
 *
 * @module
 */
import { basename } from 'node:path';
import { RequestError, sealLog, type Seal } from '../ledger.ts';
import { endedWords, sealedWords } from '../words/recording.ts';
import { exit } from './failure.ts';
import { logOptions, logPath } from './log-file.ts';
import { show, verb } from './verb.ts';

/** Seals the newest file of the log, also while other processes append. */
export const seal = verb({
  name: 'seal',
  usage: 'seal',
  summary: 'Ends the newest file of the log for good and begins the next, anchored to its head',
  details: [
    'The log keeps its name, and every verb reads across its files: LOG, then LOG.0002, LOG.0003 and so',
    'on. A process that has the log open continues in the next file. A sealed file never changes: it can',
    'be copied at any time, and retain can archive or remove it. A damaged log is not sealed.',
  ],
  options: {
    log: logOptions.log,
    host: { type: 'string' },
    json: { type: 'boolean', help: 'print one JSON value' },
  },
  operands: [0, 0],
  examples: [
    'vfio-ledger simulate --topology examples/host.topology.json --log sealed.ledger ' +
      'examples/two-contexts.scenario > answers.jsonl && vfio-ledger seal --log sealed.ledger',
  ],
  async answer({ values }, io) {
    const log = logPath(values, io.env);
    const sealed = sealLog(log);
    if (sealed === null)
      throw new RequestError(`nothing to seal: the newest file of ${log} has no events`);
    const answer = { ...sealed, heads: headsOf(sealed) };
    await show(io, values.json, answer, () => [
      sealedWords(sealed.sealed, basename(sealed.next)),
      ...Object.entries(answer.heads).map(([host, head]) => endedWords(host, head)),
    ]);
    return exit.done;
  },
});

function headsOf({ heads }: Seal): Record<string, string> {
  return Object.fromEntries(
    [...heads].map(([host, { position, hash }]) => [host, `${position}:${hash}`]),
  );
}
