/** Time as the client needs it: to end calls in time and to wait between attempts. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number;
  /** Calls back after so many milliseconds; the answer cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** Waits so many milliseconds, or until the signal. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What a timer can hold; it would strike at once for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),

  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS));
    return () => {
      clearTimeout(timer);
    };
  },

  sleep(ms, signal) {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    });
  },
};

/** The time that one call has, together with the caller's own signal. */
export class Deadline {
  /** Aborted when the time is over, or by the caller. */
  readonly signal: AbortSignal;

  readonly #clock: Clock;
  readonly #end: number;
  readonly #caller: AbortSignal | undefined;
  readonly #release: () => void;

  constructor(clock: Clock, timeoutMs: number, graceMs: number, caller?: AbortSignal) {
    const over = new AbortController();
    const abort = (): void => {
      over.abort();
    };
    this.#clock = clock;
    this.#caller = caller;
    this.#end = clock.now() + timeoutMs;
    this.signal = over.signal;
    const cancel = clock.after(timeoutMs + graceMs, abort);
    caller?.addEventListener("abort", abort);
    if (caller?.aborted === true) abort();
    this.#release = () => {
      cancel();
      caller?.removeEventListener("abort", abort);
    };
  }

  /** Milliseconds that are left, at least zero. */
  remainingMs(): number {
    return Math.max(0, Math.ceil(this.#end - this.#clock.now()));
  }

  /** Throws the caller's own reason when the caller gave up. */
  throwIfCancelled(): void {
    this.#caller?.throwIfAborted();
  }

  /** The promise, unless the time is over before. */
  async race<T>(promise: Promise<T>): Promise<T | undefined> {
    let stop = (): void => undefined;
    const over = new Promise<undefined>((resolve) => {
      stop = () => {
        resolve(undefined);
      };
      this.signal.addEventListener("abort", stop);
      if (this.signal.aborted) stop();
    });
    try {
      return await Promise.race([promise, over]);
    } finally {
      this.signal.removeEventListener("abort", stop);
    }
  }

  /** Lets go of the timer and of the caller's signal. */
  end(): void {
    this.#release();
  }
}
