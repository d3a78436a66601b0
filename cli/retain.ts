/**
 * `retain`: keeps the newest sealed files of a log, and removes or archives the others.
 *
 * @module
 */
import { RequestError, retainLog } from '../ledger.ts';
import { retainedWords } from '../words/recording.ts';
import { exit } from './failure.ts';
import { logOptions, logPath } from './log-file.ts';
import { show, verb } from './verb.ts';

/** Removes or archives whole sealed files, the oldest first; an event of the log records it. */
export const retain = verb({
  name: 'retain',
  usage: 'retain --keep N [--archive FOLDER]',
  summary: 'Keeps the newest N sealed files of the log, and removes or archives the others',
  details: [
    'Whole files are removed, the oldest first, and an event in the log records that. From then on,',
    'owners are unknown between the first event that is left and the next boot. Files since the current',
    'boot of a host are kept. An archived file is read again once it is moved back beside the log.',
  ],
  options: {
    keep: { type: 'string', value: 'N', help: 'how many sealed files to keep (required)' },
    archive: {
      type: 'string',
      value: 'FOLDER',
      help: 'move the others there instead of removing them',
    },
    log: logOptions.log,
    host: { type: 'string' },
    json: { type: 'boolean', help: 'print one JSON value' },
  },
  operands: [0, 0],
  examples: ['vfio-ledger retain --keep 12 --log demo.ledger'],
  async answer({ values }, io) {
    const { keep, archive } = values;
    if (keep === undefined || !/^\d+$/.test(keep)) {
      throw new RequestError(`retain: --keep takes a number of files, not '${keep ?? ''}'`);
    }
    const at = new Date().toISOString();
    const found = await retainLog(logPath(values, io.env), { keep: Number(keep), archive, at });
    await show(io, values.json, found, retainedWords);
    return exit.done;
  },
});
