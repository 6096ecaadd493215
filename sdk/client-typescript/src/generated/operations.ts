// Written by `npm run generate`; not by hand.

import type {
  Activation,
  Component,
  ConnectedAccount,
  ConnectedAccountChange,
  ConnectedAccountList,
  Connection,
  ConnectionChange,
  ConnectionList,
  ConnectorList,
  Disconnected,
  ExecuteTool,
  Executed,
  Execution,
  ExecutionList,
  File,
  FileBytes,
  Health,
  Installed,
  Link,
  McpAuthStateList,
  McpServer,
  McpServerChange,
  McpServerList,
  McpSessionList,
  MintedMcpSession,
  NewConnectedAccount,
  NewConnection,
  NewLink,
  NewMcpServer,
  NewMcpSession,
  Recording,
  ToolItem,
  ToolList,
  UserVerification,
} from "./types.js";

/** What each operation of the host takes and answers. */
export interface Operations {
  /** List connected accounts */
  listConnectedAccounts: {
    input: {
      /** Only of these connections, separated by commas. */
      connectionName?: readonly string[];
      /** Only of connections of this connector. */
      connector?: string;
      /** Only of this user. */
      identifier?: string;
      /** Only in this state. */
      state?: "PENDING_AUTH" | "PENDING_VERIFICATION" | "ACTIVE" | "EXPIRED" | "DISCONNECTED";
      /** Only with this text in identifier, label or connection, whatever the case of its letters. */
      query?: string;
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
    };
    answer: ConnectedAccountList;
  };
  /**
   * Make a connected account
   *
   * Makes the account of a user on a connection, or answers the one that is there. Without a
   * `credential` it waits for its owner's authorization by a link, which makes it too; this is for
   * configuration, or a credential, that the application has beforehand.
   */
  createConnectedAccount: {
    input: {
      body: NewConnectedAccount;
    };
    answer: ConnectedAccount;
  };
  /**
   * Read a connected account by its user
   *
   * The account of a user on a connection, or by its id.
   */
  getConnectedAccountDetails: {
    input: {
      /** The connection. */
      connectionName?: string;
      /** The application's key for the user. */
      identifier?: string;
      /** Or the account itself, `ca_…`; when all are given they must agree. */
      connectedAccountId?: string;
    };
    answer: ConnectedAccount;
  };
  /**
   * Make a link for an account's owner
   *
   * The owner opens it in a browser and consents at the vendor, or fills in a form. It is good
   * once, for ten minutes.
   */
  createMagicLink: {
    input: {
      body: NewLink;
    };
    answer: Link;
  };
  /**
   * Confirm who completed a link
   *
   * For links with a `user_verify_url`: only now is the vendor asked for the credential, and the
   * account becomes usable.
   */
  verifyUser: {
    input: {
      body: UserVerification;
    };
    answer: ConnectedAccount;
  };
  /**
   * Delete a connected account
   *
   * Disconnects it and removes its record.
   */
  deleteConnectedAccount: {
    input: {
      /** `ca_…`. */
      id: string;
    };
    answer: Disconnected;
  };
  /** Read a connected account */
  getConnectedAccount: {
    input: {
      /** `ca_…`. */
      id: string;
    };
    answer: ConnectedAccount;
  };
  /**
   * Change a connected account
   *
   * Gives it configuration or another credential. Another configuration of a connected account
   * wants the credential that goes with it, since a credential never follows to another host.
   */
  changeConnectedAccount: {
    input: {
      /** `ca_…`. */
      id: string;
      body: ConnectedAccountChange;
    };
    answer: ConnectedAccount;
  };
  /**
   * Disconnect an account
   *
   * It is unusable at once, its credential is revoked at the vendor and destroyed here. The record
   * stays, and a new link connects it again.
   */
  disconnectAccount: {
    input: {
      /** `ca_…`. */
      id: string;
    };
    answer: Disconnected;
  };
  /**
   * List connections
   *
   * The connections of the caller's environment, by name.
   */
  listConnections: {
    input: {
      /** Only of this connector. */
      connector?: string;
      /** Only with this text in their name. */
      query?: string;
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
    };
    answer: ConnectionList;
  };
  /**
   * Configure a connection
   *
   * Makes a connector usable in the caller's environment, with the operator's own application at
   * the vendor where the connector wants OAuth. Register the answer's `oauth.redirect_uri` there.
   */
  createConnection: {
    input: {
      body: NewConnection;
    };
    answer: Connection;
  };
  /**
   * Remove a connection
   *
   * Only when it has no connected accounts: disconnect and delete those first.
   */
  deleteConnection: {
    input: {
      /** Its name. */
      name: string;
    };
    answer: void;
  };
  /** Read a connection */
  getConnection: {
    input: {
      /** Its name. */
      name: string;
    };
    answer: Connection;
  };
  /**
   * Change a connection
   *
   * Pins it to a connector version, which then serves its calls whatever is active, or unpins it with
   * null; switches raw requests on or off.
   */
  changeConnection: {
    input: {
      /** Its name. */
      name: string;
      body: ConnectionChange;
    };
    answer: Connection;
  };
  /** List the sessions on one connection */
  listConnectionSessions: {
    input: {
      /** The connection's name. */
      name: string;
      /** Only of this user. */
      identifier?: string;
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
    };
    answer: McpSessionList;
  };
  /**
   * Make a session on one connection
   *
   * A short-lived token by which one user's agent reaches the tools of this connection over MCP.
   */
  createConnectionSession: {
    input: {
      /** The connection's name. */
      name: string;
      body: NewMcpSession;
    };
    answer: MintedMcpSession;
  };
  /**
   * End a session on one connection
   *
   * At once, open streams included.
   */
  revokeConnectionSession: {
    input: {
      /** The connection's name. */
      name: string;
      /** The session's id. */
      sessionId: string;
    };
    answer: void;
  };
  /** List connectors */
  listConnectors: { input: Readonly<Record<never, never>>; answer: ConnectorList };
  /**
   * Install a connector
   *
   * The body is the component. It is checked, compiled and activated; calls that run go on with the
   * version before, which stays loaded. A refused one leaves everything as it was, and `fields`
   * holds every reason.
   */
  installConnector: {
    input: {
      body: Component;
    };
    answer: Installed;
  };
  /**
   * Remove a connector
   *
   * All its versions. Running calls finish. Refused while a connection pins one of them.
   */
  removeConnector: {
    input: {
      /** The connector. */
      id: string;
    };
    answer: void;
  };
  /**
   * Activate a version of a connector
   *
   * Without a `version` it rolls back to the one that was active before.
   */
  activateConnector: {
    input: {
      /** The connector. */
      id: string;
      body: Activation;
    };
    answer: Installed;
  };
  /**
   * Remove a version of a connector
   *
   * Any but the active one, and none that a connection pins.
   */
  removeConnectorVersion: {
    input: {
      /** The connector. */
      id: string;
      /** The version. */
      version: string;
    };
    answer: void;
  };
  /**
   * Call a tool
   *
   * Runs one tool with the account of one user. The same `Idempotency-Key` with the same call
   * answers the first outcome again instead of calling twice. An error carries the `execution_id` too.
   */
  executeTool: {
    input: {
      body: ExecuteTool;
    };
    answer: Executed;
  };
  /**
   * List recent executions
   *
   * Newest first. Older ones are in the journal's files on the host.
   */
  listExecutions: {
    input: {
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
    };
    answer: ExecutionList;
  };
  /** Read a recent execution */
  getExecution: {
    input: {
      /** `exe_…`. */
      id: string;
    };
    answer: Execution;
  };
  /**
   * Upload a file
   *
   * The body is the file, of any type and up to `files.max_file_bytes`; it is never whole in the
   * host's memory. Give the answer's `id` where a tool's parameter has the format `valetkey-file`.
   * Files expire; `expires_at` says when.
   */
  uploadFile: {
    input: {
      /** What it is called, for people. */
      name?: string;
      /**
       * The application's key for the user whose calls alone may use it; absent for every user of
       * the environment.
       */
      identifier?: string;
      body: FileBytes;
    };
    answer: File;
  };
  /** Delete a file */
  deleteFile: {
    input: {
      /** The file, `file_…`. */
      id: string;
    };
    answer: void;
  };
  /**
   * Download a file
   *
   * One that was uploaded, or that a call kept. For the callers of the environment that it belongs
   * to.
   */
  downloadFile: {
    input: {
      /** The file, `file_…`. */
      id: string;
    };
    answer: void;
  };
  /** List MCP servers */
  listMcpServers: {
    input: {
      /** Only the one of this name. */
      name?: string;
      /** Only those with a connection of this connector. */
      connector?: string;
      /** Only those whose name or description has this text. */
      search?: string;
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
    };
    answer: McpServerList;
  };
  /**
   * Make an MCP server
   *
   * A choice of the environment's tools under a URL of its own. Agents reach it with a session's token.
   */
  createMcpServer: {
    input: {
      body: NewMcpServer;
    };
    answer: McpServer;
  };
  /**
   * Remove an MCP server
   *
   * Ends its sessions.
   */
  deleteMcpServer: {
    input: {
      /** Its id. */
      id: string;
    };
    answer: void;
  };
  /** Read an MCP server */
  getMcpServer: {
    input: {
      /** Its id. */
      id: string;
    };
    answer: McpServer;
  };
  /**
   * Change an MCP server
   *
   * What is absent stays. Connected agents see the new list of tools at once.
   */
  changeMcpServer: {
    input: {
      /** Its id. */
      id: string;
      body: McpServerChange;
    };
    answer: McpServer;
  };
  /**
   * Show how far a user is with connecting
   *
   * The user's account on each connection of the server, and on request the link to connect it.
   */
  getMcpAuthState: {
    input: {
      /** The server's id. */
      id: string;
      /** The application's key for the user. */
      identifier: string;
      /** Also make a link for each connection that is not usable yet. Needs `accounts:write` too. */
      includeLinks?: boolean;
    };
    answer: McpAuthStateList;
  };
  /** List the sessions on an MCP server */
  listMcpSessions: {
    input: {
      /** The server's id. */
      id: string;
      /** Only of this user. */
      identifier?: string;
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
    };
    answer: McpSessionList;
  };
  /**
   * Make a session on an MCP server
   *
   * A short-lived token by which one user's agent reaches this server and nothing else.
   */
  createMcpSession: {
    input: {
      /** The server's id. */
      id: string;
      body: NewMcpSession;
    };
    answer: MintedMcpSession;
  };
  /**
   * End a session on an MCP server
   *
   * At once, open streams included.
   */
  revokeMcpSession: {
    input: {
      /** The server's id. */
      id: string;
      /** The session's id. */
      sessionId: string;
    };
    answer: void;
  };
  /**
   * Record a tool call
   *
   * Runs one tool and answers what the connector sent to the vendor and got back, for an author who
   * makes a test case of it. The credential is not in it; users' data are. As for raw requests, the
   * operator has to have set the connection's `proxy`. A call that failed is answered with 200 too:
   * `error` says how.
   */
  recordTool: {
    input: {
      body: ExecuteTool;
    };
    answer: Recording;
  };
  /**
   * List tools
   *
   * Every tool of every connector that is loaded, by name.
   */
  listTools: {
    input: {
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
      /** Only of these connectors, separated by commas. */
      connector?: readonly string[];
      /** Only what these connections serve, separated by commas. */
      connectionName?: readonly string[];
      /** Only these, by name or alias, separated by commas. */
      toolName?: readonly string[];
      /** Only with one of these tags, separated by commas. */
      tag?: readonly string[];
      /** Only those that change nothing (`true`), or only the others (`false`). */
      readOnly?: boolean;
      /** The shape of the tools; the host's own when absent. */
      format?: "openai" | "openai-strict" | "anthropic" | "gemini" | "mcp" | "langchain";
    };
    answer: ToolList;
  };
  /**
   * List the tools that a user could have
   *
   * The tools of every connection of the environment, by name; `connections` says what the user
   * lacks to call each one.
   */
  listAvailableTools: {
    input: {
      /** The application's key for the user. */
      identifier: string;
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
      /** Only of these connectors, separated by commas. */
      connector?: readonly string[];
      /** Only what these connections serve, separated by commas. */
      connectionName?: readonly string[];
      /** Only these, by name or alias, separated by commas. */
      toolName?: readonly string[];
      /** Only with one of these tags, separated by commas. */
      tag?: readonly string[];
      /** Only those that change nothing (`true`), or only the others (`false`). */
      readOnly?: boolean;
      /** The shape of the tools; the host's own when absent. */
      format?: "openai" | "openai-strict" | "anthropic" | "gemini" | "mcp" | "langchain";
    };
    answer: ToolList;
  };
  /**
   * List the tools of a user
   *
   * The tools of the connections on which the user has an active account, by name.
   */
  listScopedTools: {
    input: {
      /** The application's key for the user. */
      identifier: string;
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
      /** Only of these connectors, separated by commas. */
      connector?: readonly string[];
      /** Only what these connections serve, separated by commas. */
      connectionName?: readonly string[];
      /** Only these, by name or alias, separated by commas. */
      toolName?: readonly string[];
      /** Only with one of these tags, separated by commas. */
      tag?: readonly string[];
      /** Only those that change nothing (`true`), or only the others (`false`). */
      readOnly?: boolean;
      /** The shape of the tools; the host's own when absent. */
      format?: "openai" | "openai-strict" | "anthropic" | "gemini" | "mcp" | "langchain";
    };
    answer: ToolList;
  };
  /**
   * Search tools
   *
   * The tools whose name, title, description and tags fit a few words best, best first. With an
   * `identifier`, `connections` says what the user lacks to call each one.
   */
  searchTools: {
    input: {
      /** A few words. */
      query: string;
      /** Only tools of this environment's connections, each with what this user lacks to call it. */
      identifier?: string;
      /** With `identifier`: only those that the user can call now (`true`). */
      ready?: boolean;
      /** Items at most. */
      limit?: number;
      /** Only of these connectors, separated by commas. */
      connector?: readonly string[];
      /** Only what these connections serve, separated by commas. */
      connectionName?: readonly string[];
      /** Only these, by name or alias, separated by commas. */
      toolName?: readonly string[];
      /** Only with one of these tags, separated by commas. */
      tag?: readonly string[];
      /** Only those that change nothing (`true`), or only the others (`false`). */
      readOnly?: boolean;
      /** The shape of the tools; the host's own when absent. */
      format?: "openai" | "openai-strict" | "anthropic" | "gemini" | "mcp" | "langchain";
    };
    answer: ToolList;
  };
  /** Read a tool */
  getTool: {
    input: {
      /** Its name or an alias. */
      name: string;
      /** The shape of the tool; the host's own when absent. */
      format?: "openai" | "openai-strict" | "anthropic" | "gemini" | "mcp" | "langchain";
    };
    answer: ToolItem;
  };
  /**
   * Is the host there?
   *
   * Answers as soon as the host takes requests.
   */
  health: { input: Readonly<Record<never, never>>; answer: Health };
  /** This document */
  document: { input: Readonly<Record<never, never>>; answer: Readonly<Record<string, unknown>> };
}

/** How each operation goes over the wire. */
export const operations = {
  listConnectedAccounts: {
    method: "GET",
    path: "/api/v1/connected_accounts",
    parameters: {
      connectionName: {
        in: "query",
        name: "connection_name",
      },
      connector: {
        in: "query",
        name: "connector",
      },
      identifier: {
        in: "query",
        name: "identifier",
      },
      state: {
        in: "query",
        name: "state",
      },
      query: {
        in: "query",
        name: "query",
      },
      limit: {
        in: "query",
        name: "limit",
      },
      cursor: {
        in: "query",
        name: "cursor",
      },
    },
    answer: {
      shape: "ConnectedAccountList",
    },
  },
  createConnectedAccount: {
    method: "POST",
    path: "/api/v1/connected_accounts",
    parameters: {},
    body: {
      media: "application/json",
      shape: "NewConnectedAccount",
    },
    answer: {
      shape: "ConnectedAccount",
    },
  },
  getConnectedAccountDetails: {
    method: "GET",
    path: "/api/v1/connected_accounts/details",
    parameters: {
      connectionName: {
        in: "query",
        name: "connection_name",
      },
      identifier: {
        in: "query",
        name: "identifier",
      },
      connectedAccountId: {
        in: "query",
        name: "connected_account_id",
      },
    },
    answer: {
      shape: "ConnectedAccount",
    },
  },
  createMagicLink: {
    method: "POST",
    path: "/api/v1/connected_accounts/magic_link",
    parameters: {},
    body: {
      media: "application/json",
      shape: "NewLink",
    },
    answer: {
      shape: "Link",
    },
  },
  verifyUser: {
    method: "POST",
    path: "/api/v1/connected_accounts/user/verify",
    parameters: {},
    body: {
      media: "application/json",
      shape: "UserVerification",
    },
    answer: {
      shape: "ConnectedAccount",
    },
  },
  deleteConnectedAccount: {
    method: "DELETE",
    path: "/api/v1/connected_accounts/{id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
    answer: {
      shape: "Disconnected",
    },
  },
  getConnectedAccount: {
    method: "GET",
    path: "/api/v1/connected_accounts/{id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
    answer: {
      shape: "ConnectedAccount",
    },
  },
  changeConnectedAccount: {
    method: "PATCH",
    path: "/api/v1/connected_accounts/{id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
    body: {
      media: "application/json",
      shape: "ConnectedAccountChange",
    },
    answer: {
      shape: "ConnectedAccount",
    },
  },
  disconnectAccount: {
    method: "POST",
    path: "/api/v1/connected_accounts/{id}/disconnect",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
    answer: {
      shape: "Disconnected",
    },
  },
  listConnections: {
    method: "GET",
    path: "/api/v1/connections",
    parameters: {
      connector: {
        in: "query",
        name: "connector",
      },
      query: {
        in: "query",
        name: "query",
      },
      limit: {
        in: "query",
        name: "limit",
      },
      cursor: {
        in: "query",
        name: "cursor",
      },
    },
    answer: {
      shape: "ConnectionList",
    },
  },
  createConnection: {
    method: "POST",
    path: "/api/v1/connections",
    parameters: {},
    body: {
      media: "application/json",
      shape: "NewConnection",
    },
    answer: {
      shape: "Connection",
    },
  },
  deleteConnection: {
    method: "DELETE",
    path: "/api/v1/connections/{name}",
    parameters: {
      name: {
        in: "path",
        name: "name",
      },
    },
  },
  getConnection: {
    method: "GET",
    path: "/api/v1/connections/{name}",
    parameters: {
      name: {
        in: "path",
        name: "name",
      },
    },
    answer: {
      shape: "Connection",
    },
  },
  changeConnection: {
    method: "PATCH",
    path: "/api/v1/connections/{name}",
    parameters: {
      name: {
        in: "path",
        name: "name",
      },
    },
    body: {
      media: "application/json",
      shape: "ConnectionChange",
    },
    answer: {
      shape: "Connection",
    },
  },
  listConnectionSessions: {
    method: "GET",
    path: "/api/v1/connections/{name}/sessions",
    parameters: {
      name: {
        in: "path",
        name: "name",
      },
      identifier: {
        in: "query",
        name: "identifier",
      },
      limit: {
        in: "query",
        name: "limit",
      },
      cursor: {
        in: "query",
        name: "cursor",
      },
    },
    answer: {
      shape: "McpSessionList",
    },
  },
  createConnectionSession: {
    method: "POST",
    path: "/api/v1/connections/{name}/sessions",
    parameters: {
      name: {
        in: "path",
        name: "name",
      },
    },
    body: {
      media: "application/json",
      shape: "NewMcpSession",
    },
    answer: {
      shape: "MintedMcpSession",
    },
  },
  revokeConnectionSession: {
    method: "DELETE",
    path: "/api/v1/connections/{name}/sessions/{session_id}",
    parameters: {
      name: {
        in: "path",
        name: "name",
      },
      sessionId: {
        in: "path",
        name: "session_id",
      },
    },
  },
  listConnectors: {
    method: "GET",
    path: "/api/v1/connectors",
    parameters: {},
    answer: {
      shape: "ConnectorList",
    },
  },
  installConnector: {
    method: "POST",
    path: "/api/v1/connectors",
    parameters: {},
    body: {
      media: "application/wasm",
    },
    answer: {
      shape: "Installed",
    },
  },
  removeConnector: {
    method: "DELETE",
    path: "/api/v1/connectors/{id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
  },
  activateConnector: {
    method: "POST",
    path: "/api/v1/connectors/{id}/activate",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
    body: {
      media: "application/json",
      shape: "Activation",
    },
    answer: {
      shape: "Installed",
    },
  },
  removeConnectorVersion: {
    method: "DELETE",
    path: "/api/v1/connectors/{id}/versions/{version}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
      version: {
        in: "path",
        name: "version",
      },
    },
  },
  executeTool: {
    method: "POST",
    path: "/api/v1/execute_tool",
    parameters: {},
    keyed: true,
    body: {
      media: "application/json",
      shape: "ExecuteTool",
    },
    answer: {
      shape: "Executed",
    },
  },
  listExecutions: {
    method: "GET",
    path: "/api/v1/executions",
    parameters: {
      limit: {
        in: "query",
        name: "limit",
      },
      cursor: {
        in: "query",
        name: "cursor",
      },
    },
    answer: {
      shape: "ExecutionList",
    },
  },
  getExecution: {
    method: "GET",
    path: "/api/v1/executions/{id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
    answer: {
      shape: "Execution",
    },
  },
  uploadFile: {
    method: "POST",
    path: "/api/v1/files",
    parameters: {
      name: {
        in: "query",
        name: "name",
      },
      identifier: {
        in: "query",
        name: "identifier",
      },
    },
    body: {
      media: "*/*",
    },
    answer: {
      shape: "File",
    },
  },
  deleteFile: {
    method: "DELETE",
    path: "/api/v1/files/{id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
  },
  downloadFile: {
    method: "GET",
    path: "/api/v1/files/{id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
  },
  listMcpServers: {
    method: "GET",
    path: "/api/v1/mcp_servers",
    parameters: {
      name: {
        in: "query",
        name: "name",
      },
      connector: {
        in: "query",
        name: "connector",
      },
      search: {
        in: "query",
        name: "search",
      },
      limit: {
        in: "query",
        name: "limit",
      },
      cursor: {
        in: "query",
        name: "cursor",
      },
    },
    answer: {
      shape: "McpServerList",
    },
  },
  createMcpServer: {
    method: "POST",
    path: "/api/v1/mcp_servers",
    parameters: {},
    body: {
      media: "application/json",
      shape: "NewMcpServer",
    },
    answer: {
      shape: "McpServer",
    },
  },
  deleteMcpServer: {
    method: "DELETE",
    path: "/api/v1/mcp_servers/{id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
  },
  getMcpServer: {
    method: "GET",
    path: "/api/v1/mcp_servers/{id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
    answer: {
      shape: "McpServer",
    },
  },
  changeMcpServer: {
    method: "PATCH",
    path: "/api/v1/mcp_servers/{id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
    body: {
      media: "application/json",
      shape: "McpServerChange",
    },
    answer: {
      shape: "McpServer",
    },
  },
  getMcpAuthState: {
    method: "GET",
    path: "/api/v1/mcp_servers/{id}/auth_state",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
      identifier: {
        in: "query",
        name: "identifier",
      },
      includeLinks: {
        in: "query",
        name: "include_links",
      },
    },
    answer: {
      shape: "McpAuthStateList",
    },
  },
  listMcpSessions: {
    method: "GET",
    path: "/api/v1/mcp_servers/{id}/sessions",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
      identifier: {
        in: "query",
        name: "identifier",
      },
      limit: {
        in: "query",
        name: "limit",
      },
      cursor: {
        in: "query",
        name: "cursor",
      },
    },
    answer: {
      shape: "McpSessionList",
    },
  },
  createMcpSession: {
    method: "POST",
    path: "/api/v1/mcp_servers/{id}/sessions",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
    },
    body: {
      media: "application/json",
      shape: "NewMcpSession",
    },
    answer: {
      shape: "MintedMcpSession",
    },
  },
  revokeMcpSession: {
    method: "DELETE",
    path: "/api/v1/mcp_servers/{id}/sessions/{session_id}",
    parameters: {
      id: {
        in: "path",
        name: "id",
      },
      sessionId: {
        in: "path",
        name: "session_id",
      },
    },
  },
  recordTool: {
    method: "POST",
    path: "/api/v1/recordings",
    parameters: {},
    body: {
      media: "application/json",
      shape: "ExecuteTool",
    },
    answer: {
      shape: "Recording",
    },
  },
  listTools: {
    method: "GET",
    path: "/api/v1/tools",
    parameters: {
      limit: {
        in: "query",
        name: "limit",
      },
      cursor: {
        in: "query",
        name: "cursor",
      },
      connector: {
        in: "query",
        name: "connector",
      },
      connectionName: {
        in: "query",
        name: "connection_name",
      },
      toolName: {
        in: "query",
        name: "tool_name",
      },
      tag: {
        in: "query",
        name: "tag",
      },
      readOnly: {
        in: "query",
        name: "read_only",
      },
      format: {
        in: "query",
        name: "format",
      },
    },
    answer: {
      shape: "ToolList",
    },
  },
  listAvailableTools: {
    method: "GET",
    path: "/api/v1/tools/available",
    parameters: {
      identifier: {
        in: "query",
        name: "identifier",
      },
      limit: {
        in: "query",
        name: "limit",
      },
      cursor: {
        in: "query",
        name: "cursor",
      },
      connector: {
        in: "query",
        name: "connector",
      },
      connectionName: {
        in: "query",
        name: "connection_name",
      },
      toolName: {
        in: "query",
        name: "tool_name",
      },
      tag: {
        in: "query",
        name: "tag",
      },
      readOnly: {
        in: "query",
        name: "read_only",
      },
      format: {
        in: "query",
        name: "format",
      },
    },
    answer: {
      shape: "ToolList",
    },
  },
  listScopedTools: {
    method: "GET",
    path: "/api/v1/tools/scoped",
    parameters: {
      identifier: {
        in: "query",
        name: "identifier",
      },
      limit: {
        in: "query",
        name: "limit",
      },
      cursor: {
        in: "query",
        name: "cursor",
      },
      connector: {
        in: "query",
        name: "connector",
      },
      connectionName: {
        in: "query",
        name: "connection_name",
      },
      toolName: {
        in: "query",
        name: "tool_name",
      },
      tag: {
        in: "query",
        name: "tag",
      },
      readOnly: {
        in: "query",
        name: "read_only",
      },
      format: {
        in: "query",
        name: "format",
      },
    },
    answer: {
      shape: "ToolList",
    },
  },
  searchTools: {
    method: "GET",
    path: "/api/v1/tools/search",
    parameters: {
      query: {
        in: "query",
        name: "query",
      },
      identifier: {
        in: "query",
        name: "identifier",
      },
      ready: {
        in: "query",
        name: "ready",
      },
      limit: {
        in: "query",
        name: "limit",
      },
      connector: {
        in: "query",
        name: "connector",
      },
      connectionName: {
        in: "query",
        name: "connection_name",
      },
      toolName: {
        in: "query",
        name: "tool_name",
      },
      tag: {
        in: "query",
        name: "tag",
      },
      readOnly: {
        in: "query",
        name: "read_only",
      },
      format: {
        in: "query",
        name: "format",
      },
    },
    answer: {
      shape: "ToolList",
    },
  },
  getTool: {
    method: "GET",
    path: "/api/v1/tools/{name}",
    parameters: {
      name: {
        in: "path",
        name: "name",
      },
      format: {
        in: "query",
        name: "format",
      },
    },
    answer: {
      shape: "Tool",
      alternative: true,
    },
  },
  health: {
    method: "GET",
    path: "/healthz",
    parameters: {},
    answer: {
      shape: "Health",
    },
  },
  document: {
    method: "GET",
    path: "/openapi.json",
    parameters: {},
    answer: {},
  },
} as const;
