/**
 * A way to a server of NATS on which answers get lost.
 *
 * @module
 */
import { connect, createServer, type Socket } from 'node:net';

export interface Proxy {
  readonly port: number;
  /**
   * The next message to a subject that begins so reaches the server. What the server sends from then on
   * is lost, until the connection breaks, `ms` later. Resolves when it has.
   */
  readonly loseAnswerTo: (subject: string, ms?: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a proxy on loopback. */
export async function startProxy(serverPort: number): Promise<Proxy> {
  let losing: { readonly subject: string; readonly ms: number; readonly done: () => void } | null =
    null;
  const open = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1');
    let isLost = false;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end).on('close', () => {
        open.delete(socket);
        end();
      });
    }
    client.on('data', (bytes) => {
      server.write(bytes);
      if (losing === null || !bytes.includes(`PUB ${losing.subject}`)) return;
      const { done, ms } = losing;
      losing = null;
      isLost = true;
      setTimeout(() => {
        end();
        done();
      }, ms);
    });
    server.on('data', (bytes) => {
      if (!isLost) client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const place = proxy.address();
  return {
    port: typeof place === 'object' && place !== null ? place.port : 0,
    loseAnswerTo: (subject, ms = 100) =>
      new Promise((done) => {
        losing = { subject, ms, done };
      }),
    stop: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        proxy.close(() => resolve());
      }),
  };
}
