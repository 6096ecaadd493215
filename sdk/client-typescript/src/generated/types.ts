// Written by `npm run generate`; not by hand.

/** Where an account stands. */
export type AccountState = "PENDING_AUTH" | "PENDING_VERIFICATION" | "ACTIVE" | "EXPIRED" | "DISCONNECTED";

/** Which version. */
export interface Activation {
  /** A loaded version; absent for the one that was active before. */
  version?: string;
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
  /** Kind of credential: `oauth2`, `api_key`, `basic`, `bearer` or `none`. */
  credentialKind: string;
  /** Whether plain http and loopback vendors are allowed, and nothing else. */
  development: boolean;
  /** Endpoint URLs instead of the manifest's, by name. */
  endpoints: Readonly<Record<string, string>>;
  oauth?: OAuthApp;
  /** The connector version that serves calls whatever is active. */
  pinnedVersion?: string;
  /** Scopes that are asked for. */
  scopes: readonly string[];
  /** The URLs that a link may name as `user_verify_url`. */
  userVerifyUrls: readonly string[];
}

/** Which version serves. */
export interface ConnectionChange {
  /** A loaded version of the connector, or null for whichever is active. */
  pinnedVersion: string | null;
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
  /** The tool's input, by its `input_schema`. */
  params?: Readonly<Record<string, unknown>>;
  /** Name of the tool, or an alias. */
  toolName: string;
}

/** What a call answers. */
export interface Executed {
  /** The tool's result, in the vendor's own shape. */
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

/** A new account, not connected yet. */
export interface NewConnectedAccount {
  /** Configuration beside the credential, where the connector wants some. */
  accountConfig?: Readonly<Record<string, string>>;
  /** The connection. */
  connectionName: string;
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
  /** Scopes to ask for; none for the manifest's. */
  scopes?: readonly string[];
  /** The URLs that a link may name as `user_verify_url`, compared exactly. */
  userVerifyUrls?: readonly string[];
}

/** What a link is asked for with. */
export interface NewLink {
  /** Configuration beside the credential that the application knows already. */
  accountConfig?: Readonly<Record<string, string>>;
  /** The connection. */
  connectionName: string;
  /** The application's key for the user. */
  identifier: string;
  /** The application's own state, given back to `user_verify_url`. At most 1 KiB. */
  state?: string;
  /**
   * Where the browser goes after consent, so that the application can tell who it is: one of
   * the connection's `user_verify_urls`. Then the account becomes usable only after
   * `user/verify`.
   */
  userVerifyUrl?: string;
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

/** One complaint about the input. */
export interface Problem {
  /** JSON pointer to the place; empty for the whole. */
  path: string;
  /** What is wrong there and what is wanted. */
  problem: string;
}

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

/** What became of a disconnection. */
export type Revocation = "revoked" | "not_supported" | "pending";

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
  /** For one user's tools: the connections on which they have an active account. */
  connectionNames?: readonly string[];
  /** The connector that it belongs to. */
  connector: string;
  /** The version of the connector that is active. */
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
  /** Words to filter by. */
  tags?: readonly string[];
  /** A few words. */
  title: string;
}

/** What a call does to the vendor's data. */
export interface ToolHints {
  /** May remove or overwrite something, or cannot be taken back. */
  destructive: boolean;
  /** Calling again with the same input changes nothing more. */
  idempotent: boolean;
  /** Changes nothing. */
  readOnly: boolean;
}

/** A page of tools, by name. */
export interface ToolList {
  items: readonly Tool[];
  /** For the next page; absent on the last. */
  nextCursor?: string;
}

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
    scopes: {
      wire: "scopes",
    },
    userVerifyUrls: {
      wire: "user_verify_urls",
    },
  },
  ConnectionChange: {
    pinnedVersion: {
      wire: "pinned_version",
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
    params: {
      wire: "params",
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
  NewConnectedAccount: {
    accountConfig: {
      wire: "account_config",
      optional: true,
    },
    connectionName: {
      wire: "connection_name",
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
    scopes: {
      wire: "scopes",
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
    connectionName: {
      wire: "connection_name",
    },
    identifier: {
      wire: "identifier",
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
  ToolList: {
    items: {
      wire: "items",
      shape: "Tool",
    },
    nextCursor: {
      wire: "next_cursor",
      optional: true,
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
