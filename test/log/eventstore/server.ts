/**
 * A server that speaks the protocol of EventStoreDB, as far as appends, reads and subscriptions need it.
 * Its messages are those of the modules that `@eventstore/db-client` ships.
 *
 * @module
 */
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featureService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import streamService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
  ReadReq,
  ReadResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import { drawFrom } from '../../support/draw.ts';
import { anyAppendFault, type AppendFault, endWith, type ReadFault } from './faults.ts';
import { type GrpcCall, GrpcServer, method } from './grpc.ts';
import {
  appendResponse,
  batchExpectedOf,
  batchResponse,
  caughtUp,
  confirmation,
  expectedOf,
  nameOf,
  notFound,
  proposed,
  readEvent,
  trailersOf,
  uuidOf,
} from './messages.ts';
import { type Appended, type ExpectedRevision, type KeptEvent, ServerStreams } from './store.ts';

export interface ServerOptions {
  /** The most bytes of data and metadata in an append. */
  readonly limit?: number;
  /** Whether it has TLS. Without it no client sends a password. */
  readonly isSecure?: boolean;
  /** `USER:PASSWORD`, without which it refuses. */
  readonly login?: string;
  /** Whether a wrong revision is told in the trailers of a call, and not in its answer. */
  readonly tellsInTrailers?: boolean;
  /** A share of the appends to hosts meets a fault by chance, drawn from a seed. */
  readonly chance?: { readonly share: number; readonly seed: number; readonly deadline: number };
}

type Method = 'append' | 'batchAppend' | 'read' | 'subscribe' | 'features' | 'gossip';

/** Streams of hosts, which faults are about. */
const HOSTS = 'vfioHost-';
const { LEADER, FOLLOWER } = gossip.MemberInfo.VNodeState;

export class ProtocolServer {
  readonly streams: ServerStreams;
  readonly calls: Record<Method, number> = {
    append: 0,
    batchAppend: 0,
    read: 0,
    subscribe: 0,
    features: 0,
    gossip: 0,
  };
  /** What the next appends to hosts meet; null is no fault. */
  readonly appendFaults: (AppendFault | null)[] = [];
  /** What the next reads of hosts, and subscriptions to them, meet. */
  readonly readFaults: ReadFault[] = [];
  port = 0;
  readonly #options: ServerOptions;
  readonly #leader: ProtocolServer | null;
  readonly #members: ProtocolServer[];
  readonly #server: GrpcServer;
  readonly #random: () => number;

  /** A server of its own, or one that follows a leader, whose streams it has. */
  constructor(options: ServerOptions, leader: ProtocolServer | null = null) {
    this.#options = options;
    this.#leader = leader;
    this.streams = leader?.streams ?? new ServerStreams(options.limit ?? 2 ** 20);
    this.#members = leader === null ? [] : leader.#members;
    this.#members.push(this);
    this.#random = drawFrom(options.chance?.seed ?? 0);
    const service = streamService.StreamsService;
    this.#server = new GrpcServer(
      [
        method(service.append, async (call) => this.#append(call)),
        method(service.batchAppend, async (call) => this.#batchAppend(call)),
        method(service.read, async (call) => this.#read(call)),
        method(featureService.ServerFeaturesService.getSupportedMethods, async (call) => {
          this.calls.features++;
          call.send(supported());
          call.finish(0);
        }),
        method(gossipService.GossipService.read, async (call) => {
          this.calls.gossip++;
          call.send(this.#cluster());
          call.finish(0);
        }),
      ],
      options.isSecure ?? false,
    );
  }

  async listen(port?: number): Promise<number> {
    this.port = await this.#server.listen(port);
    return this.port;
  }

  cutAll(): void {
    this.#server.cutAll();
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  async #append(call: GrpcCall<AppendReq, AppendResp>): Promise<void> {
    this.calls.append++;
    let name = '';
    let expected: ExpectedRevision = 'any';
    let fault: AppendFault | null = null;
    const events = [];
    for await (const request of call.requests) {
      const options = request.getOptions();
      if (options !== undefined) {
        name = nameOf(options.getStreamIdentifier());
        expected = expectedOf(options);
        fault = this.#faultOf(name);
      }
      const message = request.getProposedMessage();
      if (message !== undefined) events.push(proposed(message));
      // In the middle of the append: the client has more to send.
      if (fault?.end === 'cut' && fault.written === 'no') return call.cut();
    }
    if (this.#isRefused(call)) return;
    const result = await this.#write(name, expected, events, fault);
    const end = fault?.end ?? 'given';
    endWith(call, { ...fault, end }, () => {
      const { tellsInTrailers = false } = this.#options;
      const { kind } = result;
      if (kind === 'success' || (kind === 'wrong-version' && !tellsInTrailers)) {
        call.send(appendResponse(result, expected));
      } else {
        call.finish(kind === 'too-large' ? 3 : 9, kind, trailersOf(result, name, expected));
      }
    });
    if (end === 'given' || end === 'twice') call.finish(0);
  }

  async #batchAppend(call: GrpcCall<BatchAppendReq, BatchAppendResp>): Promise<void> {
    this.calls.batchAppend++;
    let options: BatchAppendReq.Options | undefined;
    let events = [];
    for await (const request of call.requests) {
      options = request.getOptions() ?? options;
      events.push(...request.getProposedMessagesList().map(proposed));
      if (!request.getIsFinal() || options === undefined) continue;
      if (this.#isRefused(call)) return;
      const name = nameOf(options.getStreamIdentifier());
      const fault = this.#faultOf(name);
      const result = await this.#write(name, batchExpectedOf(options), events, fault);
      events = [];
      const correlation = request.getCorrelationId();
      endWith(call, fault ?? { end: 'given' }, () => {
        call.send(batchResponse(result, correlation, name));
      });
    }
    call.finish(0);
  }

  async #write(
    name: string,
    expected: ExpectedRevision,
    events: Parameters<ServerStreams['append']>[2],
    fault: AppendFault | null,
  ): Promise<Appended> {
    const write = () => this.streams.append(name, expected, events);
    if (fault?.written === 'late') setTimeout(write, fault.lateMs ?? 0);
    const result = fault === null || fault.written === 'yes' ? write() : null;
    if ((fault?.afterMs ?? 0) > 0) await new Promise((go) => setTimeout(go, fault?.afterMs));
    return result ?? { kind: 'success', current: 0, commit: 0 };
  }

  #faultOf(name: string): AppendFault | null {
    if (!name.startsWith(HOSTS)) return null;
    const { chance } = this.#options;
    if (this.appendFaults.length > 0) return this.appendFaults.shift() ?? null;
    if (chance === undefined || this.#random() >= chance.share) return null;
    return anyAppendFault(this.#random, chance.deadline);
  }

  async #read(call: GrpcCall<ReadReq, ReadResp>): Promise<void> {
    for await (const request of call.requests) {
      const options = request.getOptions()!;
      const name = nameOf(options.getStream()?.getStreamIdentifier());
      const isSubscription = options.hasSubscription();
      this.calls[isSubscription ? 'subscribe' : 'read']++;
      if (this.#isRefused(call)) return;
      if (this.streams.isTombstone(name)) {
        return call.finish(9, 'deleted', trailersOf({ kind: 'deleted' }, name, 'any'));
      }
      const fault = name.startsWith(HOSTS) ? this.readFaults.shift() : undefined;
      if (isSubscription) return this.#subscribe(call, name, options, fault);
      const all = this.streams.events(name);
      if (all === null) call.send(notFound(name));
      const events = asked(all ?? [], options).slice(0, Number(options.getCount()));
      for (const event of events.slice(0, fault?.after)) call.send(readEvent(name, event));
      endWith(call, { end: fault?.end ?? 'given' }, () => call.finish(0));
    }
  }

  async #subscribe(
    call: GrpcCall<ReadReq, ReadResp>,
    name: string,
    options: ReadReq.Options,
    fault: ReadFault | undefined,
  ): Promise<void> {
    const begin = options.getStream()!;
    let next = begin.hasRevision() ? Number(begin.getRevision()) + 1 : 0;
    if (begin.hasEnd()) next = this.streams.events(name)?.length ?? 0;
    let sent = 0;
    let isOver = false;
    const send = () => {
      for (const event of this.streams.events(name) ?? []) {
        if (event.revision < next || isOver) continue;
        if (sent === fault?.after) {
          isOver = true;
          return endWith(call, fault, () => {});
        }
        call.send(readEvent(name, event));
        next = event.revision + 1;
        sent++;
      }
    };
    if (fault?.after === 0) {
      endWith(call, fault, () => {});
      isOver = true;
    } else call.send(confirmation());
    send();
    if (!isOver) call.send(caughtUp());
    const end = this.streams.onAppend(send);
    call.over.addEventListener('abort', end);
    if (call.over.aborted) end();
  }

  /** Ends a call without the login, or one that asks for a leader that this server is not. */
  #isRefused<Request, Response>(call: GrpcCall<Request, Response>): boolean {
    const { headers } = call;
    const { login } = this.#options;
    const given = headers.authorization?.replace(/^Basic /, '') ?? '';
    if (login !== undefined && Buffer.from(given, 'base64').toString() !== login) {
      call.finish(given === '' ? 7 : 16, 'Access Denied', { exception: 'access-denied' });
      return true;
    }
    if (this.#leader === null || headers['requires-leader'] !== 'true') return false;
    call.finish(5, 'Leader info available', {
      exception: 'not-leader',
      'leader-endpoint-host': '127.0.0.1',
      'leader-endpoint-port': String(this.#leader.port),
    });
    return true;
  }

  #cluster() {
    const info = new gossip.ClusterInfo();
    const members = this.#members.map((server) => {
      const member = new gossip.MemberInfo();
      member.setInstanceId(uuidOf(crypto.randomUUID()));
      member.setTimeStamp('0');
      member.setState(server.#leader === null ? LEADER : FOLLOWER);
      member.setIsAlive(true);
      const endpoint = new gossip.EndPoint();
      endpoint.setAddress('127.0.0.1');
      endpoint.setPort(server.port);
      member.setHttpEndPoint(endpoint);
      return member;
    });
    info.setMembersList(members);
    return info;
  }
}

/** The events that a read asks for, in its direction. */
function asked(events: readonly KeptEvent[], options: ReadReq.Options): readonly KeptEvent[] {
  const begin = options.getStream()!;
  const { BACKWARDS } = streams.ReadReq.Options.ReadDirection;
  const isBackwards = options.getReadDirection() === BACKWARDS;
  const from = begin.hasRevision() ? Number(begin.getRevision()) : begin.hasEnd() ? Infinity : 0;
  if (isBackwards) return events.filter(({ revision }) => revision <= from).toReversed();
  return events.filter(({ revision }) => revision >= from);
}

/** What servers of version 21.10 and later say that they have. */
function supported() {
  const methods = new features.SupportedMethods();
  methods.setEventStoreServerVersion('24.10.0');
  methods.setMethodsList(
    ['Append', 'BatchAppend', 'Read'].map((name) => {
      const supportedMethod = new features.SupportedMethod();
      supportedMethod.setServiceName('event_store.client.streams.streams');
      supportedMethod.setMethodName(name.toLowerCase());
      return supportedMethod;
    }),
  );
  return methods;
}
