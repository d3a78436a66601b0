/**
 * Protocol servers in a process of their own: the modules of their messages and a client cannot be in one
 * process, unless they are of the same package.
 *
 * @module
 */
import type { AppendFault, ReadFault } from './faults.ts';
import { serve } from './remote.ts';
import { ProtocolServer, type ServerOptions } from './server.ts';

const servers = new Map<number, ProtocolServer>();

function serverAt(port: number): ProtocolServer {
  const server = servers.get(port);
  if (server === undefined) throw new Error(`no server at port ${port}`);
  return server;
}

serve({
  /** Starts a server, on a port of its own or a given one; with `leader`, one that follows it. */
  async start(options: ServerOptions, leader: number | null) {
    const server = new ProtocolServer(options, leader === null ? null : serverAt(leader));
    const port = await server.listen();
    servers.set(port, server);
    return port;
  },
  failAppends(port: number, faults: readonly (AppendFault | null)[]) {
    serverAt(port).appendFaults.push(...faults);
  },
  failReads(port: number, faults: readonly ReadFault[]) {
    serverAt(port).readFaults.push(...faults);
  },
  calls: (port: number) => ({ ...serverAt(port).calls }),
  /** The readable events of a stream, with data and metadata as text. */
  events(port: number, stream: string) {
    return (serverAt(port).streams.events(stream) ?? []).map((event) => ({
      ...event,
      data: Buffer.from(event.data).toString(),
      metadata: Buffer.from(event.metadata).toString(),
    }));
  },
  /** Appends an event that no client sent. */
  put(port: number, stream: string, type: string, data: string) {
    serverAt(port).streams.append(stream, 'any', [
      {
        id: crypto.randomUUID(),
        type,
        contentType: 'application/json',
        data: Buffer.from(data),
        metadata: Buffer.from('{}'),
      },
    ]);
  },
  delete(port: number, stream: string, forGood: boolean) {
    serverAt(port).streams.delete(stream, forGood);
  },
  cutAll(port: number) {
    serverAt(port).cutAll();
  },
  async close(port: number) {
    await serverAt(port).close();
  },
});
