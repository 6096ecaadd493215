/**
 * Write a Valetkey connector in JavaScript or TypeScript.
 *
 * A connector is a folder with a `connector.toml` and a `connector.js` or `connector.ts`. Tools that the manifest
 * declares with a `request` need no code. A tool that is odd is one function, by its name:
 *
 * ```js
 * import { segment } from "@valetkey/guest";
 *
 * export const tools = {
 *   acme_thing_rename(call, input) {
 *     const path = `/things/${segment("thing_id", input.thing_id)}`;
 *     return call.patch("api", path, { json: { name: input.name } }).json();
 *   },
 * };
 * ```
 *
 * `valetkey connector build` makes a component of it, and writes the types of all inputs beside it (`inputs.d.ts`).
 * Functions are plain, not `async`: a request returns its answer. There is no way to a token, an environment
 * variable, a file or a socket: the host adds the credential to each request.
 */

/** A connector's functions by the names of their tools. `Inputs` are those of `inputs.d.ts`. */
export type Tools<Inputs> = { [Name in keyof Inputs]?: (call: Call, input: Inputs[Name]) => unknown };

/** The codes that a connector gives. */
export type FaultCode =
  | "invalid_input"
  | "unknown_tool"
  | "scope_missing"
  | "account_not_active"
  | "rate_limited"
  | "vendor_rejected"
  | "vendor_not_found"
  | "vendor_conflict"
  | "vendor_forbidden"
  | "vendor_unavailable"
  | "vendor_timeout"
  | "egress_denied"
  | "ambiguous_outcome"
  | "connector_output_invalid"
  | (string & {});

/** What a fault says beside its code and message. */
export interface FaultDetails {
  /** The vendor's HTTP status, when it answered. */
  status?: number;
  /** The vendor's own code, when it gave one. */
  vendorCode?: string;
  /** How long to wait before another try, when known. */
  retryAfterMs?: number;
  /** Complaints about the input: a JSON pointer and what is wrong there. */
  problems?: [pointer: string, problem: string][];
}

/** Why a tool call did not succeed. Thrown by requests, and by functions that refuse. */
export class Fault extends Error {
  /** `message`: what happened and what to do next, in one or two sentences for a model. */
  constructor(code: FaultCode, message: string, details?: FaultDetails);
  /** The caller's input cannot be used: which parameter (a JSON pointer), and what is wanted. */
  static invalid(pointer: string, problem: string): Fault;
  readonly code: FaultCode;
  readonly status?: number;
  readonly vendorCode?: string;
  readonly retryAfterMs?: number;
  readonly problems: [pointer: string, problem: string][];
}

/** The vendor's answer. */
export class Response {
  constructor(status: number, headers: [name: string, value: string][], body: Uint8Array);
  /** The status; a redirect is data. */
  readonly status: number;
  /** Headers, names in lower case. */
  readonly headers: [name: string, value: string][];
  /** The body, decompressed. */
  readonly body: Uint8Array;
  /** Whether the status is 2xx. */
  readonly isSuccess: boolean;
  /** The first header of this name (lower case). */
  header(name: string): string | undefined;
  /** The body as text. */
  text(): string;
  /** The body as JSON. @throws {Fault} when it is something else. */
  json(): any;
}

/** What a tool answers, when that is more than a value. */
export class Output {
  constructor(data: string, nextPageToken?: string);
  /** The result as a text of JSON. */
  readonly data: string;
  /** The vendor's token of the next page; undefined on the last. */
  readonly nextPageToken?: string;
  /** The result. */
  json(): any;
}

/** One page of a result, and the vendor's token of the next (none on the last). */
export function page(value: unknown, nextPageToken?: string | null): Output;

/** The page that a call has to fetch. */
export class Page {
  constructor(token?: string, size?: number);
  /** The vendor's token; undefined for the first page. */
  readonly token?: string;
  /** How many items it should have at most; undefined for tools without pages. */
  readonly size?: number;
  /** Where the page begins, for vendors that count items. */
  offset(): number;
  /** The token of the page after one of `count` items; undefined when that was the last, being shorter than asked for. */
  nextOffset(count: number): string | undefined;
  /** The page's number, for vendors that number pages from `first` on. */
  number(first: number): number;
  /** The token of the page after one of `count` items; undefined when that was the last. */
  nextNumber(first: number, count: number): string | undefined;
}

type Value = string | number | boolean | null | undefined;
/** Names and values: an array repeats its name, null and undefined are left out. */
export type Pairs = Record<string, Value | Value[]> | [name: string, value: Value][];

/** One part of a `multipart/form-data` body. */
export interface Part {
  name: string;
  value: string | Uint8Array;
  /** Makes it a file. */
  filename?: string;
  contentType?: string;
}

/** What a request carries. At most one of `json`, `form`, `multipart` and `body`. */
export interface RequestOptions {
  /** Query parameters; the host encodes them. */
  query?: Pairs;
  /** Headers. Those that authenticate or frame belong to the host. */
  headers?: Pairs;
  /** A JSON body. */
  json?: unknown;
  /** An `application/x-www-form-urlencoded` body. */
  form?: Pairs;
  /** A `multipart/form-data` body. */
  multipart?: Part[];
  /** A body of any type. */
  body?: string | Uint8Array;
  /** The type of `body`. */
  contentType?: string;
}

/** One request to an endpoint of the manifest. */
export interface Request extends RequestOptions {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The name of an endpoint of the manifest. */
  endpoint: string;
  /** Path below it, percent-encoded; {@link segment} does that. */
  path: string;
}

/** A file that the host holds: a connector names it and never has its bytes. */
export interface File {
  /** `file_…`: what a tool answers, and callers download. */
  id: string;
  /** What it is called, for people. */
  name: string;
  /** Media type. */
  content_type: string;
  /** Bytes. */
  size: number;
  /** SHA-256 of the bytes, hexadecimal. */
  sha256: string;
}

/** How an answer is kept as a file. */
export interface Wanted {
  /** What the file is called; the vendor's own name when absent. */
  name?: string;
  /** Media types that are kept (`image/*`, `application/pdf`); any when absent. */
  contentTypes?: string[];
  /** The most that is kept. */
  maxBytes?: number;
}

/** One tool call: what its function may ask and send. */
export class Call {
  constructor(host: Host, context?: Context);
  /** The execution's id, for log lines. */
  readonly executionId: string;
  /** The page to fetch. */
  readonly page: Page;
  /** What came back to this tool's questions, for a tool whose result is content. */
  readonly answers: {
    /** Answers by the questions' keys, as the client gave them: not to be trusted, like any input. */
    readonly responses: Record<string, any>;
    /** What the tool gave along with its questions, as it was. */
    readonly state?: string;
    /** Whether the client can ask by this means: `elicitation` (a form) or `sampling`. */
    canAsk(means: string): boolean;
  };
  /** Runs the tool's declared request with `input`, for functions that only prepare the input or finish the answer. */
  declared(input: unknown): Output;
  /** Sends a `GET`. @throws {Fault} when there is no answer, or one that is no success. */
  get(endpoint: string, path: string, options?: RequestOptions): Response;
  /** Sends a `POST`. */
  post(endpoint: string, path: string, options?: RequestOptions): Response;
  /** Sends a `PUT`. */
  put(endpoint: string, path: string, options?: RequestOptions): Response;
  /** Sends a `PATCH`. */
  patch(endpoint: string, path: string, options?: RequestOptions): Response;
  /** Sends a `DELETE`. */
  delete(endpoint: string, path: string, options?: RequestOptions): Response;
  /** Sends a request by any method. */
  send(request: Request): Response;
  /** Sends a request; any status is an answer. @throws {Fault} when there is none. */
  exchange(request: Request): Response;
  /** Sends requests side by side; answers or faults in the order of the requests. */
  sendAll(requests: Request[]): (Response | Fault)[];
  /** What is known of a file of this user, by an id of the tool's input. */
  file(id: string): File;
  /** Sends a request with the bytes of a file as its body, which never pass through the connector. */
  sendFile(request: Request, file: string): Response;
  /** Sends a request and has the answer's body kept as a file. */
  receive(request: Request, wanted?: Wanted): File;
  /** Sends a GraphQL query; answers its `data`. @throws {Fault} with the first of its `errors`. */
  graphql(endpoint: string, path: string, query: string, variables?: Record<string, unknown>): any;
  /** The fault that an answer means, read as the manifest's `errors` say. */
  fault(response: Response): Fault;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  nowMs(): number;
  /** Milliseconds left until the deadline. */
  remainingMs(): number;
  /** Random bytes, at most 1,024. */
  random(length: number): Uint8Array;
  /** Writes a line to the execution's record. */
  log(level: "debug" | "info" | "warn" | "error" | "progress", message: string): void;
  /** Tells whoever waits for this call how far it is: `done` of `total` in any unit. */
  progress(done: number, total: number | undefined, words: string): void;
  /** `oauth2`, `api_key`, `basic`, `bearer` or `none`. */
  credentialKind(): string;
  /** The scopes that the vendor granted. */
  grantedScopes(): string[];
  /** One value of the account's configuration. */
  config(name: string): string | undefined;
}

/** Percent-encodes one path segment; `name` is the parameter that it comes from. @throws {Fault} for a value that no segment can carry. */
export function segment(name: string, value: string): string;

/** The other side of the contract: the component's glue implements it, and a test over canned answers. */
export interface Host {
  send(request: BuiltRequest): Response;
  sendAll(requests: BuiltRequest[]): (Response | Fault)[];
  describe(file: string): File;
  sendFile(request: BuiltRequest, file: string): Response;
  receive(request: BuiltRequest, wanted: Wanted): { response: Response; file?: File };
  nowMs(): number;
  remainingMs(): number;
  random(length: number): Uint8Array;
  log(level: string, message: string): void;
  credentialKind(): string;
  grantedScopes(): string[];
  accountConfig(name: string): string | undefined;
}

/** A request as it goes to the host. */
export interface BuiltRequest {
  method: string;
  endpoint: string;
  path: string;
  url?: string;
  query: [name: string, value: string][];
  headers: [name: string, value: string][];
  body?: Uint8Array;
}

/** What a call is made of. */
export interface Context {
  executionId?: string;
  /** The tool's declaration as a text of JSON. */
  declaration?: string;
  pageToken?: string;
  pageSize?: number;
  ext?: [name: string, value: string][];
}

/** Runs one tool, its function when there is one, its declaration otherwise: what a component does, and a test. */
export function run(tools: Tools<any>, call: Call, tool: string, input: string): Output;
