/**
 * Calls between a test and a process that it starts, for what cannot be in the test's own process: two
 * clients that break each other, and what may end its process.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

interface Question {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  /** The plain properties of an error, its message, and the name of its class. */
  readonly error?: Readonly<Record<string, unknown>>;
}

/** Answers the calls of the process that started this one, until it ends. */
export function serve(handlers: Readonly<Record<string, (...args: never[]) => unknown>>): void {
  process.on('message', (question) => {
    const { id, method, args } = question as Question;
    const answer = async (): Promise<Answer> => {
      try {
        const handler = handlers[method] as (...given: readonly unknown[]) => unknown;
        return { id, value: await handler(...args) };
      } catch (error) {
        const { constructor, message } = error as Error;
        const plain = Object.entries(error as object).filter(
          ([, value]) => Object(value) !== value,
        );
        return { id, error: { ...Object.fromEntries(plain), class: constructor.name, message } };
      }
    };
    void answer().then((given) => process.send?.(given));
  });
  process.on('disconnect', () => process.exit());
}

/** A process that answers calls. */
export class RemoteProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #count = 0;
  #error = '';
  /** Resolves to what it wrote on standard error, and how it ended. */
  readonly ended: Promise<{ readonly err: string; readonly end: number | string | null }>;

  /** Starts a program, whose address is `import.meta.resolve`d by the caller. */
  constructor(program: string, execArgv: readonly string[] = []) {
    this.#child = fork(new URL(program), [], {
      serialization: 'advanced',
      execArgv: [...execArgv],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#error += text));
    this.#child.on('message', (message) => {
      const answer = message as Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.ended = once(this.#child, 'exit').then(([code, signal]) => {
      const end = (code ?? signal) as number | string | null;
      const error = { class: 'Error', message: `the process has ended (${end}): ${this.#error}` };
      for (const [id, settle] of this.#waiting) settle({ id, error });
      this.#waiting.clear();
      return { err: this.#error, end };
    });
  }

  /** Calls a method. Rejects with what `revived` makes of the error. */
  async call<Result>(
    method: string,
    args: readonly unknown[],
    revived: (error: Readonly<Record<string, unknown>>) => Error = revivedError,
  ): Promise<Result> {
    const id = this.#count++;
    const { value, error } = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      if (this.#child.connected) this.#child.send({ id, method, args } satisfies Question);
      else resolve({ id, error: { class: 'Error', message: 'the process has ended' } });
    });
    if (error !== undefined) throw revived(error);
    return value as Result;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.ended;
  }
}

function revivedError(properties: Readonly<Record<string, unknown>>): Error {
  return Object.assign(new Error(String(properties['message'])), properties);
}
