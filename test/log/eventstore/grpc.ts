/**
 * gRPC over HTTP/2, as far as a server of few methods needs it, with control of each frame: so a call can
 * end in ways in which no well-behaved server ends it.
 *
 * @module
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  constants,
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';

/** A method as the generated modules define it. */
export interface MethodDefinition<Request, Response> {
  readonly path: string;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (message: Response) => Buffer;
}

/** A call that a client makes. */
export interface GrpcCall<Request, Response> {
  readonly headers: IncomingHttpHeaders;
  /** The messages of the client, until it has sent all of them. */
  readonly requests: AsyncIterable<Request>;
  send(message: Response): void;
  /** Ends the call with a status, and what else there is to say in trailers; not if it has ended. */
  finish(status: number, words?: string, trailers?: Readonly<Record<string, string>>): void;
  /** Ends the call without a status. */
  reset(): void;
  /** Cuts the connection of the client, with all its calls. */
  cut(): void;
  /** Aborted when the call is over, or its client is gone. */
  readonly over: AbortSignal;
}

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => Promise<void>;

/** A handler of a method, for `GrpcServer`. */
export function method<Request, Response>(
  { path, requestDeserialize, responseSerialize }: MethodDefinition<Request, Response>,
  handle: (call: GrpcCall<Request, Response>) => Promise<void>,
): readonly [string, Handler] {
  const handler: Handler = async (stream, headers) => {
    const over = new AbortController();
    stream.on('error', () => {});
    stream.on('close', () => over.abort());
    let isFinished = false;
    await handle({
      headers,
      requests: messages(stream, requestDeserialize),
      send(message) {
        begin(stream);
        if (!over.signal.aborted) stream.write(framed(responseSerialize(message)));
      },
      finish(status, words = '', trailers = {}) {
        begin(stream);
        if (over.signal.aborted || isFinished) return;
        isFinished = true;
        stream.on('wantTrailers', () => {
          stream.sendTrailers({
            'grpc-status': String(status),
            'grpc-message': encodeURIComponent(words),
            ...trailers,
          });
        });
        stream.end();
      },
      reset: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
      cut: () => stream.session?.destroy(),
      over: over.signal,
    });
  };
  return [path.toLowerCase(), handler];
}

function begin(stream: ServerHttp2Stream): void {
  if (stream.headersSent || stream.destroyed) return;
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc+proto' },
    { waitForTrailers: true },
  );
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function* messages<Request>(
  stream: ServerHttp2Stream,
  deserialize: (bytes: Buffer) => Request,
): AsyncGenerator<Request> {
  let bytes: Buffer = Buffer.alloc(0);
  // The call goes on when its messages are not read any more.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
      const end = 5 + bytes.readUInt32BE(1);
      yield deserialize(bytes.subarray(5, end));
      bytes = bytes.subarray(end);
    }
  }
}

/** A server on a port of its own of the loopback interface, without or with TLS. */
export class GrpcServer {
  readonly #server;
  readonly #sockets = new Set<Socket>();

  constructor(handlers: readonly (readonly [string, Handler])[], isSecure: boolean) {
    const byPath = new Map(handlers);
    const file = (name: string) => readFileSync(new URL(`tls/${name}`, import.meta.url));
    this.#server = isSecure
      ? createSecureServer({ cert: file('server.pem'), key: file('server.key') })
      : createServer();
    this.#server.on('sessionError', () => {});
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('stream', (stream, headers) => {
      const handler = byPath.get(headers[':path']?.toLowerCase() ?? '');
      if (handler !== undefined) {
        // A client that goes away in the middle of its messages is not the server's failure.
        handler(stream, headers).catch(() => stream.destroy());
        return;
      }
      stream.on('error', () => {});
      begin(stream);
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '12' }));
      stream.end();
    });
  }

  /** Resolves to the port. */
  async listen(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cutAll();
    await closed;
  }
}
