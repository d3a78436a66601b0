/**
 * Throws an error that says what to do if the running Node is too old. The command and the library
 * import this module before anything else; it is JavaScript that an old Node can read.
 */
const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  const message =
    `vfio-ledger needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node}: ` +
    `install one from https://nodejs.org, or for one project with npm install node@${OLDEST_NODE}`;
  throw Object.assign(new Error(message), { name: 'LedgerError', code: 'unsupported-runtime' });
}
