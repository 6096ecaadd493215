/** One user of the application: the identifier is settled once, by the application and never by a model. */
import type { Executed, Valetkey } from "./client.js";
import type { ConnectedAccount, Link, NewLink, Tool } from "./generated/types.js";
import type { List } from "./list.js";
import type { CallOptions, ExecuteOptions } from "./options.js";
import type { ProxyRequest } from "./proxy.js";

/** What holds for every call of one user. */
export interface UserOptions {
  /** Tells the user's accounts on several connections apart. */
  readonly connectionName?: string;
  /** The agent's own name for its run, for the record. */
  readonly agentRunId?: string;
}

/** Which tools. */
export interface ToolFilter {
  /** Only of this connector. */
  readonly connector?: string;
  /** Only with this tag. */
  readonly tag?: string;
  /** Only those that change nothing, or only the others. */
  readonly readOnly?: boolean;
}

/** Everything that an agent does for one user. */
export class User {
  readonly #client: Valetkey;
  readonly #options: UserOptions;

  constructor(
    client: Valetkey,
    /** The application's key for the user. */
    readonly identifier: string,
    options: UserOptions,
  ) {
    this.#client = client;
    this.#options = options;
  }

  /** The connection that the user's calls are for, where one was named. */
  get connectionName(): string | undefined {
    return this.#options.connectionName;
  }

  /** The same user, on one connection; on the present one when none is named. */
  on(connectionName: string | undefined): User {
    if (connectionName === undefined) return this;
    return new User(this.#client, this.identifier, { ...this.#options, connectionName });
  }

  /** Calls a tool. */
  execute<T = unknown>(
    toolName: string,
    params: Readonly<Record<string, unknown>> = {},
    options?: ExecuteOptions,
  ): Promise<Executed<T>> {
    return this.#client.executeTool<T>(this.#call(toolName, params), options);
  }

  /** Calls a tool that pages, page after page. */
  executePages<T = unknown>(
    toolName: string,
    params: Readonly<Record<string, unknown>> = {},
    options?: Omit<ExecuteOptions, "idempotencyKey">,
  ): AsyncGenerator<Executed<T>, void, undefined> {
    return this.#client.executePages<T>(this.#call(toolName, params), options);
  }

  /** The tools that the user can call now. */
  tools(filter: ToolFilter = {}, options?: CallOptions): List<Tool> {
    return this.#client.tools.scoped({ ...only(filter), identifier: this.identifier, limit: 200 }, options);
  }

  /** The tools of a connection, whether the user has connected an account there or not. */
  async toolsOf(
    connectionName: string,
    filter: ToolFilter = {},
    options?: CallOptions,
  ): Promise<readonly Tool[]> {
    const { connector } = await this.#client.connections.get(connectionName, options);
    if (filter.connector !== undefined && filter.connector !== connector) return [];
    return this.#client.tools.list({ ...only({ ...filter, connector }), limit: 200 }, options).all();
  }

  /** Those of the user's tools that fit a few words best, best first. */
  searchTools(
    query: string,
    filter: ToolFilter & { readonly limit?: number } = {},
    options?: CallOptions,
  ): Promise<readonly Tool[]> {
    const { limit, ...rest } = filter;
    const asked = { ...only(rest), query, identifier: this.identifier };
    return this.#client.tools.search(limit === undefined ? asked : { ...asked, limit }, options);
  }

  /** The user's accounts. */
  accounts(options?: CallOptions): List<ConnectedAccount> {
    return this.#client.connectedAccounts.list({ identifier: this.identifier }, options);
  }

  /** A link by which the user connects an account on a connection. */
  link(
    connectionName: string,
    more: Omit<NewLink, "connectionName" | "identifier"> = {},
    options?: CallOptions,
  ): Promise<Link> {
    return this.#client.connectedAccounts.link(
      { ...more, connectionName, identifier: this.identifier },
      options,
    );
  }

  /** Sends a raw request to a vendor with the credential of the user's account. */
  proxy(
    request: Omit<ProxyRequest, "identifier" | "connectedAccountId">,
    options?: CallOptions,
  ): Promise<Response> {
    const { agentRunId } = this.#options;
    const own = { ...(agentRunId !== undefined && { agentRunId }), ...request, identifier: this.identifier };
    return this.#client.proxy(own, options);
  }

  #call(toolName: string, params: Readonly<Record<string, unknown>>) {
    const { connectionName, agentRunId } = this.#options;
    return {
      toolName,
      identifier: this.identifier,
      params,
      ...(connectionName !== undefined && { connectionName }),
      ...(agentRunId !== undefined && { agentRunId }),
    };
  }
}

/** A choice of tools in the words of the interface, which takes several of each. */
function only({ connector, tag, readOnly }: ToolFilter) {
  return {
    ...(connector === undefined ? {} : { connector: [connector] }),
    ...(tag === undefined ? {} : { tag: [tag] }),
    ...(readOnly === undefined ? {} : { readOnly }),
  };
}
