/**
 * Messages of the protocol, from and to the streams of the protocol server.
 *
 * @module
 */
import any from 'google-protobuf/google/protobuf/any_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import status from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb.js';
import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
  ReadResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import type { Appended, ExpectedRevision, KeptEvent, ServerEvent } from './store.ts';

export function nameOf(identifier: StreamIdentifier | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');
}

function identifierOf(name: string): StreamIdentifier {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(name).toString('base64'));
  return identifier;
}

export function uuidOf(text: string): UUID {
  const uuid = new shared.UUID();
  uuid.setString(text);
  return uuid;
}

/** The revision that an append expects. */
export function expectedOf(options: AppendReq.Options): ExpectedRevision {
  if (options.hasRevision()) return Number(options.getRevision());
  return options.hasNoStream() ? 'no-stream' : options.hasStreamExists() ? 'exists' : 'any';
}

/** The revision that an append of a batch expects. */
export function batchExpectedOf(options: BatchAppendReq.Options): ExpectedRevision {
  if (options.hasStreamPosition()) return Number(options.getStreamPosition());
  return options.hasNoStream() ? 'no-stream' : options.hasStreamExists() ? 'exists' : 'any';
}

/** The event that a message proposes. */
export function proposed(
  message: AppendReq.ProposedMessage | BatchAppendReq.ProposedMessage,
): ServerEvent {
  const about = message.getMetadataMap();
  return {
    id: message.getId()?.getString() ?? '',
    type: about.get('type') ?? '',
    contentType: about.get('content-type') ?? '',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

/** The answer to an append that was made, or whose revision was not the one that it expected. */
export function appendResponse(
  result: Appended & { readonly kind: 'success' | 'wrong-version' },
  expected: ExpectedRevision,
): AppendResp {
  const response = new streams.AppendResp();
  if (result.kind === 'success') {
    const success = new streams.AppendResp.Success();
    success.setCurrentRevision(String(result.current));
    const position = new streams.AppendResp.Position();
    position.setCommitPosition(String(result.commit));
    position.setPreparePosition(String(result.commit));
    success.setPosition(position);
    response.setSuccess(success);
    return response;
  }
  const wrong = new streams.AppendResp.WrongExpectedVersion();
  if (result.current < 0) wrong.setCurrentNoStream(new shared.Empty());
  else wrong.setCurrentRevision(String(result.current));
  if (typeof expected === 'number') wrong.setExpectedRevision(String(expected));
  else wrong.setExpectedNoStream(new shared.Empty());
  response.setWrongExpectedVersion(wrong);
  return response;
}

/** The status and trailers that a refused append, or a read of a deleted stream, ends with. */
export function trailersOf(
  result: Appended & { readonly kind: 'wrong-version' | 'deleted' | 'too-large' },
  name: string,
  expected: ExpectedRevision,
): Readonly<Record<string, string>> {
  switch (result.kind) {
    case 'wrong-version':
      return {
        exception: 'wrong-expected-version',
        'stream-name': encodeURIComponent(name),
        'expected-version': String(typeof expected === 'number' ? expected : -1),
        ...(result.current >= 0 && { 'actual-version': String(result.current) }),
      };
    case 'deleted':
      return { exception: 'stream-deleted', 'stream-name': encodeURIComponent(name) };
    case 'too-large':
      return {
        exception: 'maximum-append-size-exceeded',
        'maximum-append-size': String(result.limit),
      };
  }
}

/** The answer to an append of a batch. */
export function batchResponse(
  result: Appended,
  correlation: UUID | undefined,
  name: string,
): BatchAppendResp {
  const response = new streams.BatchAppendResp();
  response.setCorrelationId(correlation);
  response.setStreamIdentifier(identifierOf(name));
  if (result.kind === 'success') {
    const success = new streams.BatchAppendResp.Success();
    success.setCurrentRevision(String(result.current));
    const position = new shared.AllStreamPosition();
    position.setCommitPosition(String(result.commit));
    position.setPreparePosition(String(result.commit));
    success.setPosition(position);
    response.setSuccess(success);
    return response;
  }
  const refusal = new status.Status();
  refusal.setMessage(result.kind);
  const details = new any.Any();
  const [type, bytes] = detailsOf(result);
  details.pack(bytes, `event_store.client.${type}`);
  refusal.setDetails(details);
  response.setError(refusal);
  return response;
}

function detailsOf(result: Exclude<Appended, { kind: 'success' }>): [string, Uint8Array] {
  switch (result.kind) {
    case 'wrong-version': {
      const wrong = new shared.WrongExpectedVersion();
      if (result.current >= 0) wrong.setCurrentStreamRevision(String(result.current));
      return ['WrongExpectedVersion', wrong.serializeBinary()];
    }
    case 'deleted':
      return ['StreamDeleted', new shared.StreamDeleted().serializeBinary()];
    case 'too-large': {
      const exceeded = new shared.MaximumAppendSizeExceeded();
      exceeded.setMaxappendsize(result.limit);
      return ['MaximumAppendSizeExceeded', exceeded.serializeBinary()];
    }
  }
}

/** What a read sends of an event. */
export function readEvent(name: string, event: KeptEvent): ReadResp {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(uuidOf(event.id));
  recorded.setStreamIdentifier(identifierOf(name));
  recorded.setStreamRevision(String(event.revision));
  recorded.setCommitPosition(String(event.commit));
  recorded.setPreparePosition(String(event.commit));
  recorded.getMetadataMap().set('type', event.type);
  recorded.getMetadataMap().set('content-type', event.contentType);
  recorded.getMetadataMap().set('created', '638000000000000000');
  recorded.setData(event.data);
  recorded.setCustomMetadata(event.metadata);
  const read = new streams.ReadResp.ReadEvent();
  read.setEvent(recorded);
  read.setCommitPosition(String(event.commit));
  const response = new streams.ReadResp();
  response.setEvent(read);
  return response;
}

/** What a read sends of a stream that is not there. */
export function notFound(name: string): ReadResp {
  const missing = new streams.ReadResp.StreamNotFound();
  missing.setStreamIdentifier(identifierOf(name));
  const response = new streams.ReadResp();
  response.setStreamNotFound(missing);
  return response;
}

/** What a subscription sends first. */
export function confirmation(): ReadResp {
  const confirmed = new streams.ReadResp.SubscriptionConfirmation();
  confirmed.setSubscriptionId(crypto.randomUUID());
  const response = new streams.ReadResp();
  response.setConfirmation(confirmed);
  return response;
}

/** What a subscription sends when it has sent all that was there. */
export function caughtUp(): ReadResp {
  const response = new streams.ReadResp();
  response.setCaughtUp(new streams.ReadResp.CaughtUp());
  return response;
}
