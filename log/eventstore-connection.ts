/**
 * The connection to a server of EventStoreDB or KurrentDB, and a time limit for each call.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { EventStoreAddress } from './eventstore-address.ts';
import type { EventStoreClient } from './eventstore-client.ts';
import { isRefusal, NoAnswer, typeOf, unavailable } from './eventstore-errors.ts';
import { StoreUnavailableError } from './store.ts';

/** Pauses between attempts, in ms: the first one, and the longest. */
const PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;

/** A client connects again by itself after a failure: it is given up after this many in sequence. */
const MOST_FAILURES = 2;

/** The names of errors after which a client goes on: the server has answered. */
const ANSWERS: ReadonlySet<string> = new Set([
  'not-leader',
  'stream-not-found',
  'wrong-expected-version',
]);

interface OpenClient {
  readonly client: EventStoreClient;
  /** Aborted when the client is given up: its calls may never end. */
  readonly end: AbortController;
  /** Whether a call was answered, so that there is a channel to close. */
  isUsed: boolean;
  /** How many calls have failed since one was answered. */
  failures: number;
}

/** `given`: aborted when the client is given up. */
type ClientCall<Result> = (
  client: EventStoreClient,
  deadline: number,
  given: AbortSignal,
) => Promise<Result>;

/**
 * One client at a time. A client of which a call had no answer, or that fails again and again, is given
 * up, and the next call opens another one: a client can lose its connection for good.
 */
export class EventStoreConnection {
  readonly #name: string;
  readonly #open: () => EventStoreClient;
  readonly #deadline: number;
  readonly #closing = new AbortController();
  #current: OpenClient | null = null;
  /** Whether the server has ever answered: then it may come back, and is waited for longer. */
  #isKnown = false;

  constructor({ name, deadline }: EventStoreAddress, open: () => EventStoreClient) {
    this.#name = name;
    this.#deadline = deadline;
    this.#open = open;
  }

  /** Aborted when the connection is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Makes a call once. Rejects as the client does, and with `NoAnswer` after its deadline. */
  async once<Result>(call: ClientCall<Result>): Promise<Result> {
    this.checkOpen();
    const current = (this.#current ??= {
      client: this.#open(),
      end: new AbortController(),
      isUsed: false,
      failures: 0,
    });
    try {
      const { signal } = current.end;
      const result = await limited(
        call(current.client, this.#deadline, signal),
        this.#deadline,
        signal,
      );
      this.#isKnown = true;
      Object.assign(current, { isUsed: true, failures: 0 });
      return result;
    } catch (error) {
      if (ANSWERS.has(typeOf(error)) || isRefusal(error)) {
        Object.assign(current, { isUsed: true, failures: 0 });
      } else if (error instanceof NoAnswer || ++current.failures >= MOST_FAILURES) {
        this.#giveUp(current);
      }
      throw error;
    }
  }

  /**
   * Makes a call that changes nothing, and again while it fails, for as long as one call may take; for
   * twice as long if the server has answered before. Rejects with `stream-not-found` as the client does,
   * and else with `StoreUnavailableError`.
   */
  async patiently<Result>(stream: string, call: ClientCall<Result>): Promise<Result> {
    const begin = performance.now();
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.once(call);
      } catch (error) {
        const pause = pauseAfter(attempt);
        const end = begin + this.#deadline * (this.#isKnown ? 2 : 1);
        if (typeOf(error) === 'stream-not-found') throw error;
        if (isRefusal(error) || performance.now() + pause >= end) {
          throw unavailable(this.#name, stream, error);
        }
        await this.pause(pause);
      }
    }
  }

  /** Waits. Ends early if the connection is closed, or one of the signals aborts. */
  async pause(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
    const signal = AbortSignal.any([this.closing, ...signals]);
    await delay(ms, undefined, { signal }).catch(() => {});
  }

  checkOpen(): void {
    if (this.closing.aborted) throw new StoreUnavailableError(`${this.#name} is closed`);
  }

  close(): void {
    this.#closing.abort();
    if (this.#current !== null) this.#giveUp(this.#current);
  }

  #giveUp(given: OpenClient): void {
    const { client, end, isUsed } = given;
    if (this.#current === given) this.#current = null;
    if (end.signal.aborted) return;
    end.abort();
    // Neither has anything to say: it may take long, or fail as the calls did.
    void client.dispose().catch(() => {});
    if (isUsed) void closeChannel(client).catch(() => {});
  }
}

/** The pause after a number of failed attempts, in ms. */
export function pauseAfter(attempt: number): number {
  return Math.min(PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
}

/** Settles as the promise does, or rejects with `NoAnswer` after a time or when the signal aborts. */
async function limited<Result>(
  promise: Promise<Result>,
  ms: number,
  signal: AbortSignal,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(`no answer within ${ms / 1000} s`), ms);
    const given = () => fail('the connection was lost');
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', given);
    };
    const fail = (words: string) => {
      settle();
      reject(new NoAnswer(words));
    };
    signal.addEventListener('abort', given);
    promise.then(resolve, reject).finally(settle);
  });
}

/** Closes the channel of a client: `dispose` ends the calls, and leaves their connection open. */
async function closeChannel(client: EventStoreClient): Promise<void> {
  const { getChannel } = client as { getChannel?: () => Promise<{ close(): void }> };
  (await getChannel?.())?.close();
}
