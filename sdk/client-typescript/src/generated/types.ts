// Written by `npm run generate`; not by hand.

/** Where an account stands. */
export type AccountState = "PENDING_AUTH" | "PENDING_VERIFICATION" | "ACTIVE" | "EXPIRED" | "DISCONNECTED";

/** Which version. */
export interface Activation {
  /** A loaded version; absent for the one that was active before. */
  version?: string;
}

/** A tool of Anthropic's Messages. */
export interface AnthropicTool {
  /** What it does, when to use it, what comes back. */
  description: string;
  /** JSON Schema of `params`. */
  input_schema: Readonly<Record<string, unknown>>;
  /** `tool_name` of a call. */
  name: string;
}

/** The members of `Body::error`. */
export interface BodyError {
  /** Where the account's owner can mend this. */
  authorizationLink?: string;
  /** The execution, for the operator's log. */
  executionId?: string;
  /** Complaints about the input. */
  fields?: readonly Problem[];
  /** A code of `Kind`. */
  kind:
    | "invalid_input"
    | "unauthenticated"
    | "unknown_tool"
    | "not_found"
    | "conflict"
    | "policy_denied"
    | "scope_missing"
    | "account_not_found"
    | "account_ambiguous"
    | "account_not_active"
    | "flow_invalid"
    | "rate_limited"
    | "vendor_rejected"
    | "vendor_not_found"
    | "vendor_conflict"
    | "vendor_forbidden"
    | "vendor_unavailable"
    | "vendor_timeout"
    | "egress_denied"
    | "ambiguous_outcome"
    | "idempotency_conflict"
    | "connector_trapped"
    | "connector_limit"
    | "connector_output_invalid"
    | "overloaded"
    | "store_unavailable"
    | "internal";
  /** What happened and what to do next; safe for a model. */
  message: string;
  /** Tells variants of a kind apart. */
  reason?: string;
  /** After how many milliseconds, when known. */
  retryAfterMs?: number;
  /** Whether the same call may succeed later. */
  retryable: boolean;
  /** Whose move it is. */
  side: Side;
  vendor?: VendorError;
}

/** The bytes of a WebAssembly component. */
export type Component = Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

/** One user's account at a vendor. Never with the credential. */
export interface ConnectedAccount {
  /** Configuration beside the credential. */
  accountConfig: Readonly<Record<string, string>>;
  /** Its connection. */
  connectionName: string;
  /** The connector of that connection. */
  connector: string;
  /** Creation, RFC 3339. */
  createdAt: string;
  /** Kind of credential: `oauth2`, `api_key`, `basic`, `bearer` or `none`. */
  credentialKind: string;
  /** `ca_…`. */
  id: string;
  /** The application's key for the user. */
  identifier: string;
  /** What a person recognises of it. */
  label?: string;
  reason?: Reason;
  /** Scopes that the vendor granted. */
  scopes: readonly string[];
  /** Whether the vendor said which scopes it granted; if not, `scopes` are those asked for. */
  scopesStated: boolean;
  /** Where it stands. */
  state: AccountState;
  /** The vendor's stable id of the account. */
  subject?: string;
  /** When the present access token expires, RFC 3339; the host renews it before. */
  tokenExpiresAt?: string;
  /** Last change, RFC 3339. */
  updatedAt: string;
}

/** What changes on an account; what is absent stays. */
export interface ConnectedAccountChange {
  /** Configuration that is new or has another value. */
  accountConfig?: Readonly<Record<string, string>>;
  credential?: GivenCredential;
}

/** A page of connected accounts, in order of creation. */
export interface ConnectedAccountList {
  items: readonly ConnectedAccount[];
  /** For the next page; absent on the last. */
  nextCursor?: string;
}

/** An operator's configuration of a connector. Never with the client secret. */
export interface Connection {
  /** Name of the operator's application on hosted pages. */
  applicationName: string;
  /** Id of the auth scheme in the connector's manifest. */
  auth: string;
  /** Its name, unique in the environment. */
  connectionName: string;
  /** The connector. */
  connector: string;
  /** Creation, RFC 3339. */
  createdAt: string;
  /**
   * Kind of credential: `oauth2`, `api_key`, `basic`, `bearer`, `keys`, `jwt_bearer`,
   * `client_credentials` or `none`.
   */
  credentialKind: string;
  /** Whether plain http and loopback vendors are allowed, and nothing else. */
  development: boolean;
  /** Endpoint URLs instead of the manifest's, by name. */
  endpoints: Readonly<Record<string, string>>;
  oauth?: OAuthApp;
  /** The connector version that serves calls whatever is active. */
  pinnedVersion?: string;
  /** Whether raw requests (`/proxy`) may be sent with the credentials of its accounts. */
  proxy: boolean;
  /** Scopes that are asked for. */
  scopes: readonly string[];
  /** For the kinds `jwt_bearer` and `client_credentials`: the token endpoint that is asked. */
  tokenUrl?: string;
  /** The URLs that a link may name as `user_verify_url`. */
  userVerifyUrls: readonly string[];
}

/** What changes; what is absent stays. */
export interface ConnectionChange {
  /** A loaded version of the connector, or null for whichever is active. */
  pinnedVersion?: string;
  /** Whether raw requests (`/proxy`) may be sent with the credentials of its accounts. */
  proxy?: boolean;
}

/** A page of connections, by name. */
export interface ConnectionList {
  items: readonly Connection[];
  /** For the next page; absent on the last. */
  nextCursor?: string;
}

/** The installed connectors. */
export interface ConnectorList {
  items: readonly Installed[];
}

/** What became of the credential at the vendor. */
export interface Disconnected {
  /** `revoked`, `not_supported` by the vendor, or `pending` while the vendor is not reachable. */
  revocation: Revocation;
}

/** The body of every error answer. */
export interface ErrorAnswer {
  /** The error. */
  error: BodyError;
}

/** A tool call. */
export interface ExecuteTool {
  /** The agent's own name for its run, for the record. At most 255 visible characters. */
  agentRunId?: string;
  /**
   * What the caller can ask its user or a model for a tool, in the words of MCP: `elicitation`
   * (a form), `sampling`. A tool that asks answers `data.inputRequests` and `data.requestState`
   * instead of a result.
   */
  clientCapabilities?: readonly string[];
  /** Or the account itself, `ca_…`. */
  connectedAccountId?: string;
  /** Tells accounts of one user on several connections apart. */
  connectionName?: string;
  /**
   * How long the caller waits for the answer, in milliseconds. The host's
   * `server.default_deadline_ms` when absent, and at most its `server.max_deadline_ms`.
   */
  deadlineMs?: number;
  /** The application's key for the user whose account is meant. */
  identifier?: string;
  /**
   * The answers to what the tool asked, by the keys of its `inputRequests`: for a form
   * `{"action": "accept", "content": {…}}` or `{"action": "decline"}`. With the same `params` as
   * the call that was answered by the question.
   */
  inputResponses?: Readonly<Record<string, unknown>>;
  /**
   * The tool's input, by its `input_schema`. Null for an optional parameter whose schema does not
   * take null is the same as leaving it out.
   */
  params?: Readonly<Record<string, unknown>>;
  /**
   * The `data.requestState` that came with the question, as it came. Good for ten minutes, for
   * that account, tool and `params`.
   */
  requestState?: string;
  /** Name of the tool, or an alias. */
  toolName: string;
}

/** What a call answers. */
export interface Executed {
  /**
   * The tool's result, in the vendor's own shape. Of a tool that has to ask first, an object with
   * `inputRequests` and `requestState`.
   */
  data: unknown;
  /** The execution, `exe_…`. */
  executionId: string;
  /** Where there is more: the same call with `params.cursor` set to this answers the next page. */
  nextCursor?: string;
}

/** One call of a tool, finished. */
export interface Execution {
  /** Connected account id (an id of ours, not the identifier). */
  account?: string;
  /** The agent's run, as the caller names it. */
  agentRunId?: string;
  /** Bytes from the vendor. */
  bytesIn: number;
  /** Bytes to the vendor. */
  bytesOut: number;
  /** API client. */
  client: string;
  /** Connection. */
  connection?: string;
  /** Connector id. */
  connector?: string;
  /** Its digest. */
  connectorDigest?: string;
  /** Its version. */
  connectorVersion?: string;
  /** Milliseconds in all. */
  durationMs: number;
  /** Environment. */
  environment: string;
  /** `exe_…`. */
  executionId: string;
  /** The guest's log lines, `level: text`. */
  guestLog?: readonly string[];
  /** Guest log lines dropped. */
  guestLogDropped?: number;
  /** `ok`, or the fault's kind; `cancelled` when the caller went away. */
  outcome: string;
  /** Vendor pages walked. */
  pages: number;
  /** The fault's reason word. */
  reason?: string;
  /** Refreshes that the call waited for or caused. */
  renewals: number;
  /** Whether an earlier outcome was answered under its idempotency key. */
  replayed?: boolean;
  /** Requests on the wire. */
  requests: number;
  /** Attempts after the first. */
  retries: number;
  /** The session that the call was made in. */
  session?: string;
  /** When it began, RFC 3339 with milliseconds. */
  startedAt: string;
  /** Tool as called. */
  tool: string;
  /** Last status of the vendor; 0 for none. */
  vendorStatus: number;
  /** Milliseconds of those waits. */
  waitedMs: number;
  /** Waits for budgets or for the vendor. */
  waits: number;
}

/** A page of executions, newest first. */
export interface ExecutionList {
  items: readonly Execution[];
  /** For the next page; absent on the last. */
  nextCursor?: string;
}

/** A file that the host holds for a while. */
export interface File {
  /** Media type. */
  contentType: string;
  /** When it came. */
  createdAt: string;
  /** Until when it can be used. */
  expiresAt: string;
  /** What calls take and answer, `file_…`. */
  id: string;
  /** What it is called, for people. */
  name: string;
  /** SHA-256 of the bytes, hexadecimal. */
  sha256: string;
  /** Bytes. */
  size: number;
}

/** The bytes of a file. */
export type FileBytes = Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

/** A function declaration of Gemini. */
export interface GeminiFunctionDeclaration {
  /** What it does, when to use it, what comes back. */
  description: string;
  /** `tool_name` of a call. */
  name: string;
  /** Schema of `params`; absent for a tool without parameters. */
  parameters?: Readonly<Record<string, unknown>>;
}

/** A credential that the application has already. It is tried at the vendor before it is kept. */
export type GivenCredential =
  | {
      /**
       * What the connect page would ask for, by name: `api_key`; `token`; `username` and `password`;
       * for other kinds those that the connector declares.
       */
      inputs: Readonly<Record<string, SecretText>>;
    }
  | {
      /** Tokens that the vendor issued to the OAuth application of the connection. */
      tokens: GivenTokens;
    };

/** Tokens that the vendor issued to the OAuth application of the connection. */
export interface GivenTokens {
  /** The access token. */
  accessToken: SecretText;
  refreshToken?: SecretText;
  /** What was granted; empty when it is not known. */
  scopes?: readonly string[];
  /** When the access token expires, RFC 3339; absent when it is not known. */
  tokenExpiresAt?: string;
}

/** That the host is there. */
export interface Health {
  /** `ok`. */
  status: string;
}

/** A connector as operators see it. */
export interface Installed {
  /** The version that serves calls. */
  activeVersion: string;
  /** Connector id. */
  connector: string;
  /** The vendor's name. */
  title: string;
  /** Number of tools of the active version. */
  tools: number;
  /** Every installed version with its digest. */
  versions: readonly InstalledVersion[];
}

/** One version of an installed connector. */
export interface InstalledVersion {
  /** SHA-256 of the component, lower-case hex. */
  digest: string;
  /** When it was installed, RFC 3339. */
  installedAt: string;
  /** Why it is not loaded; none when it is. */
  problem?: string;
  /** Version text of the manifest. */
  version: string;
}

/** The arguments of a LangChain `StructuredTool`. */
export interface LangChainTool {
  /** JSON Schema of `params`. */
  args_schema: Readonly<Record<string, unknown>>;
  /** What it does, when to use it, what comes back. */
  description: string;
  /** What traces show beside a call. */
  metadata: LangChainToolMetadata;
  /** `tool_name` of a call. */
  name: string;
  /** Words to filter by. */
  tags: readonly string[];
}

/** What traces of LangChain show beside a call. */
export interface LangChainToolMetadata {
  /** May remove or overwrite something, or cannot be taken back. */
  destructive: boolean;
  /** Calling again with the same input changes nothing more. */
  idempotent: boolean;
  /** Changes nothing. */
  read_only: boolean;
  /** A few words. */
  title: string;
}

/** A link for the account's owner to open. */
export interface Link {
  /** The attempt. */
  authRequestId: string;
  /** The URL, on this host. Connects the account once, within ten minutes. */
  authorizationLink: string;
  /** The account that it will activate. */
  connectedAccountId: string;
  /** When it expires, RFC 3339. */
  expiresAt: string;
}

/** What a session may do. */
export type McpAccessLevel = "FULL" | "READ_ONLY";

/** How far a user is on one connection. */
export interface McpAuthState {
  /** Where the user connects or mends it. */
  authorizationLink?: string;
  /** The user's account there, if one was ever made. */
  connectedAccountId?: string;
  /** The connection. */
  connectionName: string;
  /** Its connector. */
  connector: string;
  reason?: Reason;
  state?: AccountState;
}

/** How far a user is on each connection. */
export interface McpAuthStateList {
  items: readonly McpAuthState[];
}

/** One connection of a virtual server, and which of its tools the server shows. */
export interface McpMapping {
  /** The connection. */
  connectionName: string;
  /** Names of its tools; none for all of them. */
  tools?: readonly string[];
}

/** Whether a server shows its tools, or four tools by which an agent finds and calls them. */
export type McpSearchMode = "auto" | "on" | "off";

/** A virtual MCP server. */
export interface McpServer {
  /** Creation, RFC 3339. */
  createdAt: string;
  /** What it is for; agents read it. */
  description: string;
  /** Its id, `mcp_…`. */
  id: string;
  /** Its connections and which of their tools; none for every connection of the environment. */
  mappings: readonly McpMapping[];
  /** Its name, unique in the environment. */
  name: string;
  /** Only tools that change nothing (`true`), only the others (`false`), or both (null). */
  readOnly?: boolean;
  /** Whether a caller also sends an API access token, in the header `X-Valetkey-Api-Token`. */
  requireApiToken: boolean;
  /** Whether agents see the tools, or four tools by which they find and call them. */
  search: McpSearchMode;
  /** Only tools with one of these tags; none for any. */
  tags: readonly string[];
  /** Last change, RFC 3339. */
  updatedAt: string;
  /** The URL that agents use, with a session's token. */
  url: string;
}

/** A change of a server: what is absent stays. */
export interface McpServerChange {
  /** Another description. */
  description?: string;
  /** Other connections and tools. */
  mappings?: readonly McpMapping[];
  /** Only tools that change nothing (`true`), only the others (`false`), or both (null). */
  readOnly?: boolean;
  /** Whether a caller also sends an API access token. */
  requireApiToken?: boolean;
  search?: McpSearchMode;
  /** Other tags. */
  tags?: readonly string[];
}

/** A page of servers, in order of creation. */
export interface McpServerList {
  items: readonly McpServer[];
  /** For the next page; absent on the last. */
  nextCursor?: string;
}

/** One user's session, without its token. */
export interface McpSession {
  /** What it may do. */
  accessLevel: McpAccessLevel;
  /** Creation, RFC 3339. */
  createdAt: string;
  /** End, RFC 3339. */
  expiresAt: string;
  /** Its id, `mses_…`. */
  id: string;
  /** The user in whose name tools run. */
  identifier: string;
  /** Only these tools; null for all that the server shows. */
  tools?: readonly string[];
  /** The one URL that its token opens. */
  url: string;
}

/** A page of sessions that have not ended, in order of creation. */
export interface McpSessionList {
  items: readonly McpSession[];
  /** For the next page; absent on the last. */
  nextCursor?: string;
}

/** A tool of the Model Context Protocol. */
export interface McpTool {
  /** What a call does to the vendor's data. */
  annotations: McpToolAnnotations;
  /** What it does, when to use it, what comes back. */
  description: string;
  /** JSON Schema of `params`. */
  inputSchema: Readonly<Record<string, unknown>>;
  /** `tool_name` of a call. */
  name: string;
  /** JSON Schema of `data`, where the tool promises one; the host checks it. */
  outputSchema?: Readonly<Record<string, unknown>>;
  /** A few words. */
  title: string;
}

/**
 * What a call does to the vendor's data, in MCP's words. All are said, because their defaults are
 * the worst.
 */
export interface McpToolAnnotations {
  /** May remove or overwrite something, or cannot be taken back. */
  destructiveHint: boolean;
  /** Calling again with the same input changes nothing more. */
  idempotentHint: boolean;
  /** Whether it meets what others wrote: always, at a vendor. */
  openWorldHint: boolean;
  /** Changes nothing. */
  readOnlyHint: boolean;
}

/** A new session with its token. */
export interface MintedMcpSession {
  /** The session. */
  session: McpSession;
  /** The bearer token for the session's URL. Shown here and never again. */
  token: string;
}

/** A name and a value. */
export interface NameAndValue {
  name: string;
  value: string;
}

/** A new account. */
export interface NewConnectedAccount {
  /** Configuration beside the credential, where the connector wants some. */
  accountConfig?: Readonly<Record<string, string>>;
  /** The connection. */
  connectionName: string;
  credential?: GivenCredential;
  /** The application's key for the user. */
  identifier: string;
}

/** What an operator gives for a new connection. */
export interface NewConnection {
  /** Name of the operator's application on hosted pages. */
  applicationName?: string;
  /** Id of the manifest's auth scheme; none for its first. */
  auth?: string;
  /** Its name, unique in the environment. */
  connectionName: string;
  /** The connector, which must be installed. */
  connector: string;
  /** Allows plain http and loopback vendors, and nothing else. For development. */
  development?: boolean;
  /** Endpoint URLs instead of the manifest's, by name. */
  endpoints?: Readonly<Record<string, string>>;
  oauth?: NewOAuthApp;
  /** Serve calls by this version of the connector whatever is active. */
  pinnedVersion?: string;
  /**
   * Allows raw requests (`/proxy`) with the credentials of its accounts. A raw request may be
   * anything that the credential may do; tools are narrower.
   */
  proxy?: boolean;
  /** Scopes to ask for; none for the manifest's. */
  scopes?: readonly string[];
  /**
   * For the kinds `jwt_bearer` and `client_credentials`: the token endpoint instead of the
   * manifest's.
   */
  tokenUrl?: string;
  /** The URLs that a link may name as `user_verify_url`, compared exactly. */
  userVerifyUrls?: readonly string[];
}

/** What a link is asked for with. */
export interface NewLink {
  /** Configuration beside the credential that the application knows already. */
  accountConfig?: Readonly<Record<string, string>>;
  /** Instead of both: an account that is there, `ca_…`. */
  connectedAccountId?: string;
  /** The connection. */
  connectionName?: string;
  /** The application's key for the user. */
  identifier?: string;
  /** The application's own state, given back to `user_verify_url`. At most 1 KiB. */
  state?: string;
  /**
   * Where the browser goes after consent, so that the application can tell who it is: one of
   * the connection's `user_verify_urls`. Then the account becomes usable only after
   * `user/verify`.
   */
  userVerifyUrl?: string;
}

/** What an operator gives for a new server. */
export interface NewMcpServer {
  /** What it is for; agents read it. At most 1,000 characters. */
  description?: string;
  /** Its connections and which of their tools; none for every connection of the environment. */
  mappings?: readonly McpMapping[];
  /** Its name, unique in the environment: 1 to 100 of a-z, 0-9, `_`, `-`. */
  name: string;
  /** Only tools that change nothing (`true`), or only the others (`false`). */
  readOnly?: boolean;
  /** Whether a caller also sends an API access token, in the header `X-Valetkey-Api-Token`. */
  requireApiToken?: boolean;
  /** Whether agents see the tools, or four tools by which they find and call them. */
  search?: McpSearchMode;
  /** Only tools with one of these tags; none for any. */
  tags?: readonly string[];
}

/** What a session is asked for with. */
export interface NewMcpSession {
  /** Whatever the server shows, or only tools that change nothing. */
  accessLevel?: McpAccessLevel;
  /** The application's key for the user in whose name tools run. */
  identifier: string;
  /** Only these tools of those that the server shows. */
  tools?: readonly string[];
  /** Seconds until the session ends. */
  ttlSeconds?: number;
}

/** The operator's OAuth application at the vendor. */
export interface NewOAuthApp {
  /** Authorization endpoint instead of the manifest's. */
  authorizeUrl?: string;
  /** Client id at the vendor. */
  clientId: string;
  /** Client secret at the vendor; never answered again. None for a public client. */
  clientSecret?: string;
  /** Issuer instead of the manifest's. */
  issuer?: string;
  /** Revocation endpoint instead of the manifest's. */
  revokeUrl?: string;
  /** Token endpoint instead of the manifest's. */
  tokenUrl?: string;
}

/** The operator's OAuth application at the vendor. */
export interface OAuthApp {
  /** Authorization endpoint. */
  authorizeUrl: string;
  /** Client id at the vendor. */
  clientId?: string;
  /** Whether a client secret is kept. The secret itself is never answered. */
  hasClientSecret: boolean;
  /** Issuer. */
  issuer?: string;
  /** The redirect URI to register at the vendor. */
  redirectUri?: string;
  /** Revocation endpoint. */
  revokeUrl?: string;
  /** Token endpoint. */
  tokenUrl: string;
}

/** The function of an OpenAI tool. */
export interface OpenAiFunction {
  /** What it does, when to use it, what comes back. */
  description: string;
  /** `tool_name` of a call. */
  name: string;
  /** JSON Schema of `params`. */
  parameters: Readonly<Record<string, unknown>>;
  /** Whether the model is held to the schema. */
  strict: boolean;
}

/**
 * A function tool of OpenAI's Chat Completions. Its Responses API takes the members of `function`
 * beside `type`.
 */
export interface OpenAiTool {
  /** The function. */
  function: OpenAiFunction;
  /** `function`. */
  type: string;
}

/** One complaint about the input. */
export interface Problem {
  /** JSON pointer to the place; empty for the whole. */
  path: string;
  /** What is wrong there and what is wanted. */
  problem: string;
}

/** Whatever the vendor takes. */
export type Raw = Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

/** Why an account is where it stands. */
export type Reason =
  | "never_authorized"
  | "consent_denied"
  | "verification_failed"
  | "refresh_rejected"
  | "refresh_unreachable"
  | "refresh_outcome_unknown"
  | "scope_missing"
  | "revoked_by_user"
  | "disabled_by_operator"
  | "credential_check_failed";

/** A request of the connector and the vendor's answer, without the credential. */
export interface RecordedExchange {
  /** The kind of error that the connector got instead. */
  fault?: string;
  /** Method. */
  method: string;
  /** Query parameters. */
  query: readonly NameAndValue[];
  /** What was sent. */
  request: RecordedMessage;
  response?: RecordedMessage;
  /** The vendor's status; absent when it did not answer. */
  status?: number;
  /**
   * URL below the manifest's endpoint, without the query; `{config.NAME}` stands for the account's
   * configuration.
   */
  url: string;
}

/** Headers and body; the body is there as text or, when it is none, in base64. */
export interface RecordedMessage {
  /** Body that is text. */
  body?: string;
  /** Body that is not. */
  bodyBase64?: string;
  /** Headers. */
  headers: readonly NameAndValue[];
}

/** A call with its exchanges. Either `data` or `error` is there. */
export interface Recording {
  /** The tool's result. */
  data?: Readonly<Record<string, unknown>>;
  error?: BodyError;
  /** What the connector sent and the vendor answered, in the order of sending. */
  exchanges: readonly RecordedExchange[];
  /** The execution, `exe_…`. */
  executionId: string;
  /** Where there is more. */
  nextCursor?: string;
}

/** What became of a disconnection. */
export type Revocation = "revoked" | "not_supported" | "pending";

/** A secret text: taken, never answered. */
export type SecretText = string;

/** Whose move it is. */
export type Side = "caller" | "account" | "vendor" | "connector" | "host";

/** The form of a token request. */
export interface TokenRequest {
  /** The client, unless it authenticates by HTTP basic. */
  clientId?: string;
  /** Its secret, unless it authenticates by HTTP basic. */
  clientSecret?: string;
  /** `client_credentials`. */
  grantType: string;
  /** Scopes separated by spaces; absent for all that the client has. */
  scope?: string;
}

/** An access token (RFC 6749 section 5.1). */
export interface TokenResponse {
  /** To be sent as `Authorization: Bearer …`. */
  accessToken: string;
  /** Seconds until it expires. */
  expiresIn: number;
  /** Its scopes, separated by spaces. */
  scope: string;
  /** `Bearer`. */
  tokenType: string;
}

/** A tool, with all that a model needs to call it. */
export interface Tool {
  /** Other names of the same tool. */
  aliases?: readonly string[];
  /** … or any one of these sets (scopes of a set separated by spaces). */
  anyScopes?: readonly string[];
  /** For lists about a user: the connections on which they have an active account. */
  connectionNames?: readonly string[];
  /** For lists about a user: where they can call it, or could, and what is missing. */
  connections?: readonly ToolPlace[];
  /** The connector that it belongs to. */
  connector: string;
  /** The version of the connector that serves it. */
  connectorVersion: string;
  /** What it does, when to use it, what comes back. */
  description: string;
  /** What a call does to the vendor's data. */
  hints: ToolHints;
  /** JSON Schema of `params`. */
  inputSchema: Readonly<Record<string, unknown>>;
  /** `tool_name` of a call. */
  name: string;
  /** JSON Schema of `data`, where the tool promises one. */
  outputSchema?: Readonly<Record<string, unknown>>;
  /** OAuth scopes that the account must have granted: all of them … */
  scopes?: readonly string[];
  /** How well it fits what was searched for; only the order means something. */
  score?: number;
  /** Words to filter by. */
  tags?: readonly string[];
  /** A few words. */
  title: string;
}

/** A tool in one of the shapes. */
export type ToolForModel = OpenAiTool | AnthropicTool | GeminiFunctionDeclaration | McpTool | LangChainTool;

/** What a call does to the vendor's data. */
export interface ToolHints {
  /** May remove or overwrite something, or cannot be taken back. */
  destructive: boolean;
  /** Calling again with the same input changes nothing more. */
  idempotent: boolean;
  /** Changes nothing. */
  readOnly: boolean;
}

/** A tool in the shape that was asked for. */
export type ToolItem = Tool | ToolForModel;

/** A tool that a format cannot hold. */
export interface ToolLeftOut {
  /** Its name. */
  name: string;
  /** Why, with the places in its declaration. */
  problems: readonly Problem[];
}

/** A page of tools. */
export interface ToolList {
  items: readonly ToolItem[];
  /** Tools of this page that the asked-for format cannot hold, with the reasons. */
  leftOut?: readonly ToolLeftOut[];
  /** For the next page; absent on the last. */
  nextCursor?: string;
}

/** A connection on which a user could call a tool. */
export interface ToolPlace {
  /** The user's account on it, `ca_…`; absent when they have none. */
  connectedAccountId?: string;
  /** The connection. */
  connectionName: string;
  /** What is missing. */
  readiness: ToolReadiness;
}

/** Whether a user can call a tool on a connection now, and what is missing. */
export type ToolReadiness = "ready" | "scope_missing" | "authorization_needed" | "not_connected";

/** Who completed a link. */
export interface UserVerification {
  /** The attempt, as `user_verify_url` received it. */
  authRequestId: string;
  /** The user who is signed in at the application in that browser. */
  identifier: string;
}

/** What the vendor itself said. */
export interface VendorError {
  /** Its own code. */
  code?: string;
  /** Its own words: untrusted, cut to 2 KiB. */
  message?: string;
  /** Its HTTP status. */
  status?: number;
}

/** How each type's members are named on the wire, and which hold types of their own. */
export const shapes = {
  Activation: {
    version: {
      wire: "version",
      optional: true,
    },
  },
  BodyError: {
    authorizationLink: {
      wire: "authorization_link",
      optional: true,
    },
    executionId: {
      wire: "execution_id",
      optional: true,
    },
    fields: {
      wire: "fields",
      shape: "Problem",
      optional: true,
    },
    kind: {
      wire: "kind",
    },
    message: {
      wire: "message",
    },
    reason: {
      wire: "reason",
      optional: true,
    },
    retryAfterMs: {
      wire: "retry_after_ms",
      optional: true,
    },
    retryable: {
      wire: "retryable",
    },
    side: {
      wire: "side",
    },
    vendor: {
      wire: "vendor",
      shape: "VendorError",
      optional: true,
    },
  },
  ConnectedAccount: {
    accountConfig: {
      wire: "account_config",
    },
    connectionName: {
      wire: "connection_name",
    },
    connector: {
      wire: "connector",
    },
    createdAt: {
      wire: "created_at",
    },
    credentialKind: {
      wire: "credential_kind",
    },
    id: {
      wire: "id",
    },
    identifier: {
      wire: "identifier",
    },
    label: {
      wire: "label",
      optional: true,
    },
    reason: {
      wire: "reason",
      optional: true,
    },
    scopes: {
      wire: "scopes",
    },
    scopesStated: {
      wire: "scopes_stated",
    },
    state: {
      wire: "state",
    },
    subject: {
      wire: "subject",
      optional: true,
    },
    tokenExpiresAt: {
      wire: "token_expires_at",
      optional: true,
    },
    updatedAt: {
      wire: "updated_at",
    },
  },
  ConnectedAccountChange: {
    accountConfig: {
      wire: "account_config",
      optional: true,
    },
    credential: {
      wire: "credential",
      shape: "GivenCredential",
      optional: true,
    },
  },
  ConnectedAccountList: {
    items: {
      wire: "items",
      shape: "ConnectedAccount",
    },
    nextCursor: {
      wire: "next_cursor",
      optional: true,
    },
  },
  Connection: {
    applicationName: {
      wire: "application_name",
    },
    auth: {
      wire: "auth",
    },
    connectionName: {
      wire: "connection_name",
    },
    connector: {
      wire: "connector",
    },
    createdAt: {
      wire: "created_at",
    },
    credentialKind: {
      wire: "credential_kind",
    },
    development: {
      wire: "development",
    },
    endpoints: {
      wire: "endpoints",
    },
    oauth: {
      wire: "oauth",
      shape: "OAuthApp",
      optional: true,
    },
    pinnedVersion: {
      wire: "pinned_version",
      optional: true,
    },
    proxy: {
      wire: "proxy",
    },
    scopes: {
      wire: "scopes",
    },
    tokenUrl: {
      wire: "token_url",
      optional: true,
    },
    userVerifyUrls: {
      wire: "user_verify_urls",
    },
  },
  ConnectionChange: {
    pinnedVersion: {
      wire: "pinned_version",
      optional: true,
    },
    proxy: {
      wire: "proxy",
      optional: true,
    },
  },
  ConnectionList: {
    items: {
      wire: "items",
      shape: "Connection",
    },
    nextCursor: {
      wire: "next_cursor",
      optional: true,
    },
  },
  ConnectorList: {
    items: {
      wire: "items",
      shape: "Installed",
    },
  },
  Disconnected: {
    revocation: {
      wire: "revocation",
    },
  },
  ErrorAnswer: {
    error: {
      wire: "error",
      shape: "BodyError",
    },
  },
  ExecuteTool: {
    agentRunId: {
      wire: "agent_run_id",
      optional: true,
    },
    clientCapabilities: {
      wire: "client_capabilities",
      optional: true,
    },
    connectedAccountId: {
      wire: "connected_account_id",
      optional: true,
    },
    connectionName: {
      wire: "connection_name",
      optional: true,
    },
    deadlineMs: {
      wire: "deadline_ms",
      optional: true,
    },
    identifier: {
      wire: "identifier",
      optional: true,
    },
    inputResponses: {
      wire: "input_responses",
      optional: true,
    },
    params: {
      wire: "params",
      optional: true,
    },
    requestState: {
      wire: "request_state",
      optional: true,
    },
    toolName: {
      wire: "tool_name",
    },
  },
  Executed: {
    data: {
      wire: "data",
    },
    executionId: {
      wire: "execution_id",
    },
    nextCursor: {
      wire: "next_cursor",
      optional: true,
    },
  },
  Execution: {
    account: {
      wire: "account",
      optional: true,
    },
    agentRunId: {
      wire: "agent_run_id",
      optional: true,
    },
    bytesIn: {
      wire: "bytes_in",
    },
    bytesOut: {
      wire: "bytes_out",
    },
    client: {
      wire: "client",
    },
    connection: {
      wire: "connection",
      optional: true,
    },
    connector: {
      wire: "connector",
      optional: true,
    },
    connectorDigest: {
      wire: "connector_digest",
      optional: true,
    },
    connectorVersion: {
      wire: "connector_version",
      optional: true,
    },
    durationMs: {
      wire: "duration_ms",
    },
    environment: {
      wire: "environment",
    },
    executionId: {
      wire: "execution_id",
    },
    guestLog: {
      wire: "guest_log",
      optional: true,
    },
    guestLogDropped: {
      wire: "guest_log_dropped",
      optional: true,
    },
    outcome: {
      wire: "outcome",
    },
    pages: {
      wire: "pages",
    },
    reason: {
      wire: "reason",
      optional: true,
    },
    renewals: {
      wire: "renewals",
    },
    replayed: {
      wire: "replayed",
      optional: true,
    },
    requests: {
      wire: "requests",
    },
    retries: {
      wire: "retries",
    },
    session: {
      wire: "session",
      optional: true,
    },
    startedAt: {
      wire: "started_at",
    },
    tool: {
      wire: "tool",
    },
    vendorStatus: {
      wire: "vendor_status",
    },
    waitedMs: {
      wire: "waited_ms",
    },
    waits: {
      wire: "waits",
    },
  },
  ExecutionList: {
    items: {
      wire: "items",
      shape: "Execution",
    },
    nextCursor: {
      wire: "next_cursor",
      optional: true,
    },
  },
  File: {
    contentType: {
      wire: "content_type",
    },
    createdAt: {
      wire: "created_at",
    },
    expiresAt: {
      wire: "expires_at",
    },
    id: {
      wire: "id",
    },
    name: {
      wire: "name",
    },
    sha256: {
      wire: "sha256",
    },
    size: {
      wire: "size",
    },
  },
  GivenCredential: {
    inputs: {
      wire: "inputs",
      optional: true,
    },
    tokens: {
      wire: "tokens",
      shape: "GivenTokens",
      optional: true,
    },
  },
  GivenTokens: {
    accessToken: {
      wire: "access_token",
    },
    refreshToken: {
      wire: "refresh_token",
      optional: true,
    },
    scopes: {
      wire: "scopes",
      optional: true,
    },
    tokenExpiresAt: {
      wire: "token_expires_at",
      optional: true,
    },
  },
  Health: {
    status: {
      wire: "status",
    },
  },
  Installed: {
    activeVersion: {
      wire: "active_version",
    },
    connector: {
      wire: "connector",
    },
    title: {
      wire: "title",
    },
    tools: {
      wire: "tools",
    },
    versions: {
      wire: "versions",
      shape: "InstalledVersion",
    },
  },
  InstalledVersion: {
    digest: {
      wire: "digest",
    },
    installedAt: {
      wire: "installed_at",
    },
    problem: {
      wire: "problem",
      optional: true,
    },
    version: {
      wire: "version",
    },
  },
  Link: {
    authRequestId: {
      wire: "auth_request_id",
    },
    authorizationLink: {
      wire: "authorization_link",
    },
    connectedAccountId: {
      wire: "connected_account_id",
    },
    expiresAt: {
      wire: "expires_at",
    },
  },
  McpAuthState: {
    authorizationLink: {
      wire: "authorization_link",
      optional: true,
    },
    connectedAccountId: {
      wire: "connected_account_id",
      optional: true,
    },
    connectionName: {
      wire: "connection_name",
    },
    connector: {
      wire: "connector",
    },
    reason: {
      wire: "reason",
      optional: true,
    },
    state: {
      wire: "state",
      optional: true,
    },
  },
  McpAuthStateList: {
    items: {
      wire: "items",
      shape: "McpAuthState",
    },
  },
  McpMapping: {
    connectionName: {
      wire: "connection_name",
    },
    tools: {
      wire: "tools",
      optional: true,
    },
  },
  McpServer: {
    createdAt: {
      wire: "created_at",
    },
    description: {
      wire: "description",
    },
    id: {
      wire: "id",
    },
    mappings: {
      wire: "mappings",
      shape: "McpMapping",
    },
    name: {
      wire: "name",
    },
    readOnly: {
      wire: "read_only",
      optional: true,
    },
    requireApiToken: {
      wire: "require_api_token",
    },
    search: {
      wire: "search",
    },
    tags: {
      wire: "tags",
    },
    updatedAt: {
      wire: "updated_at",
    },
    url: {
      wire: "url",
    },
  },
  McpServerChange: {
    description: {
      wire: "description",
      optional: true,
    },
    mappings: {
      wire: "mappings",
      shape: "McpMapping",
      optional: true,
    },
    readOnly: {
      wire: "read_only",
      optional: true,
    },
    requireApiToken: {
      wire: "require_api_token",
      optional: true,
    },
    search: {
      wire: "search",
      optional: true,
    },
    tags: {
      wire: "tags",
      optional: true,
    },
  },
  McpServerList: {
    items: {
      wire: "items",
      shape: "McpServer",
    },
    nextCursor: {
      wire: "next_cursor",
      optional: true,
    },
  },
  McpSession: {
    accessLevel: {
      wire: "access_level",
    },
    createdAt: {
      wire: "created_at",
    },
    expiresAt: {
      wire: "expires_at",
    },
    id: {
      wire: "id",
    },
    identifier: {
      wire: "identifier",
    },
    tools: {
      wire: "tools",
      optional: true,
    },
    url: {
      wire: "url",
    },
  },
  McpSessionList: {
    items: {
      wire: "items",
      shape: "McpSession",
    },
    nextCursor: {
      wire: "next_cursor",
      optional: true,
    },
  },
  MintedMcpSession: {
    session: {
      wire: "session",
      shape: "McpSession",
    },
    token: {
      wire: "token",
    },
  },
  NameAndValue: {
    name: {
      wire: "name",
    },
    value: {
      wire: "value",
    },
  },
  NewConnectedAccount: {
    accountConfig: {
      wire: "account_config",
      optional: true,
    },
    connectionName: {
      wire: "connection_name",
    },
    credential: {
      wire: "credential",
      shape: "GivenCredential",
      optional: true,
    },
    identifier: {
      wire: "identifier",
    },
  },
  NewConnection: {
    applicationName: {
      wire: "application_name",
      optional: true,
    },
    auth: {
      wire: "auth",
      optional: true,
    },
    connectionName: {
      wire: "connection_name",
    },
    connector: {
      wire: "connector",
    },
    development: {
      wire: "development",
      optional: true,
    },
    endpoints: {
      wire: "endpoints",
      optional: true,
    },
    oauth: {
      wire: "oauth",
      shape: "NewOAuthApp",
      optional: true,
    },
    pinnedVersion: {
      wire: "pinned_version",
      optional: true,
    },
    proxy: {
      wire: "proxy",
      optional: true,
    },
    scopes: {
      wire: "scopes",
      optional: true,
    },
    tokenUrl: {
      wire: "token_url",
      optional: true,
    },
    userVerifyUrls: {
      wire: "user_verify_urls",
      optional: true,
    },
  },
  NewLink: {
    accountConfig: {
      wire: "account_config",
      optional: true,
    },
    connectedAccountId: {
      wire: "connected_account_id",
      optional: true,
    },
    connectionName: {
      wire: "connection_name",
      optional: true,
    },
    identifier: {
      wire: "identifier",
      optional: true,
    },
    state: {
      wire: "state",
      optional: true,
    },
    userVerifyUrl: {
      wire: "user_verify_url",
      optional: true,
    },
  },
  NewMcpServer: {
    description: {
      wire: "description",
      optional: true,
    },
    mappings: {
      wire: "mappings",
      shape: "McpMapping",
      optional: true,
    },
    name: {
      wire: "name",
    },
    readOnly: {
      wire: "read_only",
      optional: true,
    },
    requireApiToken: {
      wire: "require_api_token",
      optional: true,
    },
    search: {
      wire: "search",
      optional: true,
    },
    tags: {
      wire: "tags",
      optional: true,
    },
  },
  NewMcpSession: {
    accessLevel: {
      wire: "access_level",
      optional: true,
    },
    identifier: {
      wire: "identifier",
    },
    tools: {
      wire: "tools",
      optional: true,
    },
    ttlSeconds: {
      wire: "ttl_seconds",
      optional: true,
    },
  },
  NewOAuthApp: {
    authorizeUrl: {
      wire: "authorize_url",
      optional: true,
    },
    clientId: {
      wire: "client_id",
    },
    clientSecret: {
      wire: "client_secret",
      optional: true,
    },
    issuer: {
      wire: "issuer",
      optional: true,
    },
    revokeUrl: {
      wire: "revoke_url",
      optional: true,
    },
    tokenUrl: {
      wire: "token_url",
      optional: true,
    },
  },
  OAuthApp: {
    authorizeUrl: {
      wire: "authorize_url",
    },
    clientId: {
      wire: "client_id",
      optional: true,
    },
    hasClientSecret: {
      wire: "has_client_secret",
    },
    issuer: {
      wire: "issuer",
      optional: true,
    },
    redirectUri: {
      wire: "redirect_uri",
      optional: true,
    },
    revokeUrl: {
      wire: "revoke_url",
      optional: true,
    },
    tokenUrl: {
      wire: "token_url",
    },
  },
  Problem: {
    path: {
      wire: "path",
    },
    problem: {
      wire: "problem",
    },
  },
  RecordedExchange: {
    fault: {
      wire: "fault",
      optional: true,
    },
    method: {
      wire: "method",
    },
    query: {
      wire: "query",
      shape: "NameAndValue",
    },
    request: {
      wire: "request",
      shape: "RecordedMessage",
    },
    response: {
      wire: "response",
      shape: "RecordedMessage",
      optional: true,
    },
    status: {
      wire: "status",
      optional: true,
    },
    url: {
      wire: "url",
    },
  },
  RecordedMessage: {
    body: {
      wire: "body",
      optional: true,
    },
    bodyBase64: {
      wire: "body_base64",
      optional: true,
    },
    headers: {
      wire: "headers",
      shape: "NameAndValue",
    },
  },
  Recording: {
    data: {
      wire: "data",
      optional: true,
    },
    error: {
      wire: "error",
      shape: "BodyError",
      optional: true,
    },
    exchanges: {
      wire: "exchanges",
      shape: "RecordedExchange",
    },
    executionId: {
      wire: "execution_id",
    },
    nextCursor: {
      wire: "next_cursor",
      optional: true,
    },
  },
  TokenRequest: {
    clientId: {
      wire: "client_id",
      optional: true,
    },
    clientSecret: {
      wire: "client_secret",
      optional: true,
    },
    grantType: {
      wire: "grant_type",
    },
    scope: {
      wire: "scope",
      optional: true,
    },
  },
  TokenResponse: {
    accessToken: {
      wire: "access_token",
    },
    expiresIn: {
      wire: "expires_in",
    },
    scope: {
      wire: "scope",
    },
    tokenType: {
      wire: "token_type",
    },
  },
  Tool: {
    aliases: {
      wire: "aliases",
      optional: true,
    },
    anyScopes: {
      wire: "any_scopes",
      optional: true,
    },
    connectionNames: {
      wire: "connection_names",
      optional: true,
    },
    connections: {
      wire: "connections",
      shape: "ToolPlace",
      optional: true,
    },
    connector: {
      wire: "connector",
    },
    connectorVersion: {
      wire: "connector_version",
    },
    description: {
      wire: "description",
    },
    hints: {
      wire: "hints",
      shape: "ToolHints",
    },
    inputSchema: {
      wire: "input_schema",
    },
    name: {
      wire: "name",
    },
    outputSchema: {
      wire: "output_schema",
      optional: true,
    },
    scopes: {
      wire: "scopes",
      optional: true,
    },
    score: {
      wire: "score",
      optional: true,
    },
    tags: {
      wire: "tags",
      optional: true,
    },
    title: {
      wire: "title",
    },
  },
  ToolHints: {
    destructive: {
      wire: "destructive",
    },
    idempotent: {
      wire: "idempotent",
    },
    readOnly: {
      wire: "read_only",
    },
  },
  ToolLeftOut: {
    name: {
      wire: "name",
    },
    problems: {
      wire: "problems",
      shape: "Problem",
    },
  },
  ToolList: {
    items: {
      wire: "items",
      shape: "Tool",
      alternative: true,
    },
    leftOut: {
      wire: "left_out",
      shape: "ToolLeftOut",
      optional: true,
    },
    nextCursor: {
      wire: "next_cursor",
      optional: true,
    },
  },
  ToolPlace: {
    connectedAccountId: {
      wire: "connected_account_id",
      optional: true,
    },
    connectionName: {
      wire: "connection_name",
    },
    readiness: {
      wire: "readiness",
    },
  },
  UserVerification: {
    authRequestId: {
      wire: "auth_request_id",
    },
    identifier: {
      wire: "identifier",
    },
  },
  VendorError: {
    code: {
      wire: "code",
      optional: true,
    },
    message: {
      wire: "message",
      optional: true,
    },
    status: {
      wire: "status",
      optional: true,
    },
  },
} as const;
