/** `@valetkey/client`: the tools of every user's connected accounts, through a Valetkey host. */
export { Valetkey } from "./client.js";
export type {
  ConnectedAccounts,
  Connections,
  Connectors,
  Executed,
  Executions,
  ToolCall,
  Tools,
} from "./client.js";
export { systemClock, type Clock } from "./clock.js";
export type { OperationId } from "./core.js";
export {
  ApiError,
  ConnectionFailedError,
  DeadlineExceededError,
  InvalidAnswerError,
  ValetkeyError,
  type ErrorFacts,
  type ModelError,
} from "./errors.js";
export { isFault } from "./faults.js";
export * from "./generated/faults.js";
export type { Operations } from "./generated/operations.js";
export type * from "./generated/types.js";
export { VERSION } from "./generated/version.js";
export { List, type Page } from "./list.js";
export type { CallOptions, ExecuteOptions, ValetkeyOptions } from "./options.js";
export type { ProxyRequest } from "./proxy.js";
export { User, type ToolFilter, type UserOptions } from "./user.js";
