// Written by `npm run generate`; not by hand.

import type {
  Activation,
  Component,
  ConnectedAccount,
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
  Health,
  Installed,
  Link,
  NewConnectedAccount,
  NewConnection,
  NewLink,
  Tool,
  ToolList,
  UserVerification,
} from "./types.js";

/** What each operation of the host takes and answers. */
export interface Operations {
  /** List connected accounts */
  listConnectedAccounts: {
    input: {
      /** Only of this connection. */
      connectionName?: string;
      /** Only of this user. */
      identifier?: string;
      /** Only in this state. */
      state?: "PENDING_AUTH" | "PENDING_VERIFICATION" | "ACTIVE" | "EXPIRED" | "DISCONNECTED";
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
   * Makes the account of a user on a connection, without a credential, or answers the one that is
   * there. A link makes it too; this is for configuration that the application knows beforehand.
   */
  createConnectedAccount: {
    input: {
      body: NewConnectedAccount;
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
   * Pin a connection to a connector version
   *
   * Calls through it are served by that version whatever is active, until it is unpinned with null.
   */
  changeConnection: {
    input: {
      /** Its name. */
      name: string;
      body: ConnectionChange;
    };
    answer: Connection;
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
   * All its versions. Running calls finish.
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
   * Any but the active one.
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
   * List tools
   *
   * Every tool of every connector that is loaded, by name.
   */
  listTools: {
    input: {
      /** Only of this connector. */
      connector?: string;
      /** Only with this tag. */
      tag?: string;
      /** Only those that change nothing (`true`), or only the others (`false`). */
      readOnly?: boolean;
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
    };
    answer: ToolList;
  };
  /**
   * List the tools of a user
   *
   * The tools that a user can call now: those of the connectors on which they have an active account.
   */
  listScopedTools: {
    input: {
      /** The application's key for the user. */
      identifier: string;
      /** Only of this connector. */
      connector?: string;
      /** Only with this tag. */
      tag?: string;
      /** Only those that change nothing (`true`), or only the others (`false`). */
      readOnly?: boolean;
      /** Items at most. */
      limit?: number;
      /** `next_cursor` of the page before. */
      cursor?: string;
    };
    answer: ToolList;
  };
  /**
   * Search tools
   *
   * The tools whose name, title, description and tags fit a few words best, best first.
   */
  searchTools: {
    input: {
      /** A few words. */
      query: string;
      /** Only of this connector. */
      connector?: string;
      /** Only with this tag. */
      tag?: string;
      /** Only those that change nothing (`true`), or only the others (`false`). */
      readOnly?: boolean;
      /** Only tools that this user can call now. */
      identifier?: string;
      /** Items at most. */
      limit?: number;
    };
    answer: ToolList;
  };
  /** Read a tool */
  getTool: {
    input: {
      /** Its name or an alias. */
      name: string;
    };
    answer: Tool;
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
      identifier: {
        in: "query",
        name: "identifier",
      },
      state: {
        in: "query",
        name: "state",
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
  listTools: {
    method: "GET",
    path: "/api/v1/tools",
    parameters: {
      connector: {
        in: "query",
        name: "connector",
      },
      tag: {
        in: "query",
        name: "tag",
      },
      readOnly: {
        in: "query",
        name: "read_only",
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
      connector: {
        in: "query",
        name: "connector",
      },
      tag: {
        in: "query",
        name: "tag",
      },
      readOnly: {
        in: "query",
        name: "read_only",
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
      connector: {
        in: "query",
        name: "connector",
      },
      tag: {
        in: "query",
        name: "tag",
      },
      readOnly: {
        in: "query",
        name: "read_only",
      },
      identifier: {
        in: "query",
        name: "identifier",
      },
      limit: {
        in: "query",
        name: "limit",
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
    },
    answer: {
      shape: "Tool",
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
