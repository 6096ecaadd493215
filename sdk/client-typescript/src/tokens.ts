/** The access token: fetched when it is first needed, renewed before it expires, by one request for all calls. */
import type { Clock, Deadline } from "./clock.js";

/** A token as the host gave it. */
export interface Issued {
  readonly accessToken: string;
  readonly expiresInMs: number;
}

/** Where tokens come from. */
export interface TokenSource {
  /** The token to send. Nothing when the time is over before there is one. */
  get(deadline: Deadline): Promise<string | undefined>;
  /** The host no longer takes this token. Answers whether there may be another. */
  refused(token: string): boolean;
}

/** A token is renewed when a fifth of its life is left, and at most a minute before its end. */
const MARGIN = 0.2;
const MAX_MARGIN_MS = 60_000;

/** Tokens for client credentials. */
export class IssuedTokens implements TokenSource {
  readonly #clock: Clock;
  readonly #issue: () => Promise<Issued>;
  #token: { readonly text: string; readonly renewAt: number } | undefined;
  #pending: Promise<string> | undefined;

  /** `issue` asks the host, within a time of its own: no single call may end it for the others. */
  constructor(clock: Clock, issue: () => Promise<Issued>) {
    this.#clock = clock;
    this.#issue = issue;
  }

  async get(deadline: Deadline): Promise<string | undefined> {
    if (this.#token !== undefined && this.#clock.now() < this.#token.renewAt) return this.#token.text;
    this.#pending ??= this.#renew().finally(() => {
      this.#pending = undefined;
    });
    return deadline.race(this.#pending);
  }

  refused(token: string): boolean {
    if (this.#token?.text === token) this.#token = undefined;
    return true;
  }

  async #renew(): Promise<string> {
    const asked = this.#clock.now();
    const { accessToken, expiresInMs } = await this.#issue();
    const margin = Math.min(expiresInMs * MARGIN, MAX_MARGIN_MS);
    this.#token = { text: accessToken, renewAt: asked + expiresInMs - margin };
    return accessToken;
  }
}

/** A token that the application has from elsewhere, or a function that gives the present one. */
export class GivenTokens implements TokenSource {
  readonly #give: () => string | Promise<string>;
  readonly #changes: boolean;

  constructor(token: string | (() => string | Promise<string>)) {
    this.#give = typeof token === "string" ? () => token : token;
    this.#changes = typeof token !== "string";
  }

  get(deadline: Deadline): Promise<string | undefined> {
    return deadline.race(Promise.resolve(this.#give()));
  }

  refused(): boolean {
    return this.#changes;
  }
}
