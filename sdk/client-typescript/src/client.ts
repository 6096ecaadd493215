/** The surface: what a program calls, by the names of the domain. */
import { Core, type OperationId } from "./core.js";
import type { Operations } from "./generated/operations.js";
import type {
  ConnectedAccount,
  Connection,
  ConnectionChange,
  Disconnected,
  ExecuteTool,
  Executed as AnyExecuted,
  Execution,
  Installed,
  Link,
  NewConnectedAccount,
  NewConnection,
  NewLink,
  Tool,
  UserVerification,
} from "./generated/types.js";
import { List, type Page } from "./list.js";
import type { CallOptions, ExecuteOptions, ValetkeyOptions } from "./options.js";
import type { ProxyRequest } from "./proxy.js";
import { traced } from "./tracing.js";
import { User, type UserOptions } from "./user.js";

/** The result of a tool call. `T` is what the tool's `outputSchema` promises; nothing checks it here. */
export type Executed<T = unknown> = Omit<AnyExecuted, "data"> & { data: T };

/** A tool call. Its deadline is `timeoutMs` of its options. */
export type ToolCall = Omit<ExecuteTool, "deadlineMs">;

/** The filters of a list, without its paging. `limit` is the length of its pages. */
type Filter<Id extends OperationId> = Omit<Operations[Id]["input"], "cursor" | "format">;

/** Cores that several clients share, and with them the access token. */
const cores = new WeakMap<ValetkeyOptions, Core>();

/**
 * A client of one host, for one environment of it.
 *
 * It gets its access token when the first call needs one and renews it by itself. It holds no connection and needs no
 * closing; make one and keep it.
 */
export class Valetkey {
  /** Users' accounts at vendors, links to connect them, and who completed a link. */
  readonly connectedAccounts: ConnectedAccounts;
  /** What can be called: in all, by one user, for a purpose. */
  readonly tools: Tools;
  /** Recent calls. */
  readonly executions: Executions;
  /** An operator's configurations of connectors. */
  readonly connections: Connections;
  /** The installed connectors. */
  readonly connectors: Connectors;

  readonly #options: ValetkeyOptions;
  readonly #core: Core;

  constructor(options: ValetkeyOptions = {}) {
    this.#options = options;
    this.#core = cores.get(options) ?? new Core(options);
    this.connectedAccounts = new ConnectedAccounts(this.#core);
    this.tools = new Tools(this.#core);
    this.executions = new Executions(this.#core);
    this.connections = new Connections(this.#core);
    this.connectors = new Connectors(this.#core);
  }

  /** This client, for one run of an agent: every tool call is recorded under the run's id. */
  forRun(agentRunId: string): Valetkey {
    const options = { ...this.#options, agentRunId };
    cores.set(options, this.#core);
    return new Valetkey(options);
  }

  /** One user: everything that an agent does for them, with the identifier settled once. */
  forUser(identifier: string, options: UserOptions = {}): User {
    return new User(this, identifier, options);
  }

  /** Calls a tool with the account of a user. */
  async executeTool<T = unknown>(call: ToolCall, options?: ExecuteOptions): Promise<Executed<T>> {
    const agentRunId = call.agentRunId ?? this.#options.agentRunId;
    const body = agentRunId === undefined ? call : { ...call, agentRunId };
    const content = this.#options.traceContent !== false;
    const executed = await traced(body, content, () => this.#core.call("executeTool", { body }, options));
    return executed as Executed<T>;
  }

  /** Calls a tool that pages, page after page, from `params.cursor` or the first. */
  async *executePages<T = unknown>(
    call: ToolCall,
    options: Omit<ExecuteOptions, "idempotencyKey"> = {},
  ): AsyncGenerator<Executed<T>, void, undefined> {
    for (let params = call.params; ;) {
      const page = await this.executeTool<T>(params === undefined ? call : { ...call, params }, options);
      yield page;
      if (page.nextCursor === undefined) return;
      params = { ...params, cursor: page.nextCursor };
    }
  }

  /**
   * Sends a raw request to a vendor with the credential of an account, for what no tool covers. The answer is the
   * vendor's, whatever its status; what the host itself refuses is thrown.
   */
  proxy(request: ProxyRequest, options: CallOptions = {}): Promise<Response> {
    const agentRunId = request.agentRunId ?? this.#options.agentRunId;
    return this.#core.proxy(agentRunId === undefined ? request : { ...request, agentRunId }, options);
  }

  /** Any operation of the host by its id in `openapi.json`, as the generated types have it. */
  call<Id extends OperationId>(
    id: Id,
    input: Operations[Id]["input"],
    options?: ExecuteOptions,
  ): Promise<Operations[Id]["answer"]> {
    return this.#core.call(id, input, options);
  }
}

class ConnectedAccounts {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Accounts in order of creation. */
  list(filter: Filter<"listConnectedAccounts"> = {}, options?: CallOptions): List<ConnectedAccount> {
    return listOf((page) => this.#core.call("listConnectedAccounts", { ...filter, ...page }, options));
  }

  /** One account by its id, `ca_…`. */
  get(id: string, options?: CallOptions): Promise<ConnectedAccount> {
    return this.#core.call("getConnectedAccount", { id }, options);
  }

  /** Makes the account of a user without a credential, or answers the one that is there. */
  create(account: NewConnectedAccount, options?: CallOptions): Promise<ConnectedAccount> {
    return this.#core.call("createConnectedAccount", { body: account }, options);
  }

  /** A link for the account's owner to open: it connects the account once, within ten minutes. */
  link(link: NewLink, options?: CallOptions): Promise<Link> {
    return this.#core.call("createMagicLink", { body: link }, options);
  }

  /** Confirms who completed a link that was made with a `userVerifyUrl`. Only then the account is usable. */
  verify(verification: UserVerification, options?: CallOptions): Promise<ConnectedAccount> {
    return this.#core.call("verifyUser", { body: verification }, options);
  }

  /** Makes the account unusable at once and revokes its credential. A new link connects it again. */
  disconnect(id: string, options?: CallOptions): Promise<Disconnected> {
    return this.#core.call("disconnectAccount", { id }, options);
  }

  /** Disconnects the account and removes its record. */
  delete(id: string, options?: CallOptions): Promise<Disconnected> {
    return this.#core.call("deleteConnectedAccount", { id }, options);
  }
}

class Tools {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Every tool of every connector that is loaded, by name. */
  list(filter: Filter<"listTools"> = {}, options?: CallOptions): List<Tool> {
    return toolsOf((page) => this.#core.call("listTools", { ...filter, ...page }, options));
  }

  /** The tools that a user can call now: those of the connectors on which they have an active account. */
  scoped(filter: Filter<"listScopedTools">, options?: CallOptions): List<Tool> {
    return toolsOf((page) => this.#core.call("listScopedTools", { ...filter, ...page }, options));
  }

  /** The tools that fit a few words best, best first. */
  async search(query: Filter<"searchTools">, options?: CallOptions): Promise<readonly Tool[]> {
    const { items } = ownTools(await this.#core.call("searchTools", query, options));
    return items;
  }

  /** One tool by its name or an alias. */
  async get(name: string, options?: CallOptions): Promise<Tool> {
    const tool: unknown = await this.#core.call("getTool", { name }, options);
    return tool as Tool;
  }
}

class Executions {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Recent calls, newest first. */
  list(filter: Filter<"listExecutions"> = {}, options?: CallOptions): List<Execution> {
    return listOf((page) => this.#core.call("listExecutions", { ...filter, ...page }, options));
  }

  /** One call by its id, `exe_…`. */
  get(id: string, options?: CallOptions): Promise<Execution> {
    return this.#core.call("getExecution", { id }, options);
  }
}

class Connections {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Connections by name. */
  list(filter: Filter<"listConnections"> = {}, options?: CallOptions): List<Connection> {
    return listOf((page) => this.#core.call("listConnections", { ...filter, ...page }, options));
  }

  /** One connection. */
  get(name: string, options?: CallOptions): Promise<Connection> {
    return this.#core.call("getConnection", { name }, options);
  }

  /** Configures a connector under a new name. */
  create(connection: NewConnection, options?: CallOptions): Promise<Connection> {
    return this.#core.call("createConnection", { body: connection }, options);
  }

  /** Changes which version of its connector serves a connection. */
  change(name: string, change: ConnectionChange, options?: CallOptions): Promise<Connection> {
    return this.#core.call("changeConnection", { name, body: change }, options);
  }

  /** Removes a connection that has no accounts. */
  delete(name: string, options?: CallOptions): Promise<void> {
    return this.#core.call("deleteConnection", { name }, options);
  }
}

class Connectors {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Every installed connector. */
  async list(options?: CallOptions): Promise<readonly Installed[]> {
    const { items } = await this.#core.call("listConnectors", {}, options);
    return items;
  }
}

export type { ConnectedAccounts, Connections, Connectors, Executions, Tools };

/** Tools in the host's own shape, since no model's format was asked for. */
function ownTools(page: Page<unknown>): Page<Tool> {
  return page as Page<Tool>;
}

function toolsOf(fetch: (page: { cursor?: string }) => Promise<Page<unknown>>): List<Tool> {
  return listOf(async (page) => ownTools(await fetch(page)));
}

function listOf<T>(fetch: (page: { cursor?: string }) => Promise<Page<T>>): List<T> {
  return new List((cursor) => fetch(cursor === undefined ? {} : { cursor }));
}
