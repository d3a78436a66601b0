/** For tests that need a server: says how to get it, where they are skipped without one. */
import { INSTALL, LEAST, natsServer } from './cluster.ts';

if (natsServer === undefined) {
  const least = `no nats-server >= ${LEAST.join('.')}`;
  process.stderr.write(`${least}: tests of JetStream are skipped; run ${INSTALL}\n`);
}
