/** Before all tests: says how to get the server without which some of them are skipped. */
import { INSTALL, LEAST, natsServer } from './cluster.ts';

export default function setup(): void {
  if (natsServer !== undefined) return;
  const least = `no nats-server >= ${LEAST.join('.')}`;
  process.stderr.write(`${least}: tests of JetStream are skipped; run ${INSTALL}\n`);
}
