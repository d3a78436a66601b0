/**
 * `vfio-ledger/recorder`: what a command or a function does with VFIO files on the running host.
 *
 * @module
 */
export { during, type DuringOptions } from './during.ts';
export { runRecorded, type RecordedRunOptions, type RunReport } from './run-recorded.ts';
