// Written by `npm run generate`; not by hand.

import { ApiError } from "../errors.js";
import type { BodyError } from "./types.js";

/** The kinds of errors that a host answers. */
export type ErrorKind = BodyError["kind"];

/**
 * The parameters do not satisfy the tool's schema, or a request body is malformed.
 * Mend what `fields` names and call again.
 */
export class InvalidInputError extends ApiError {
  override readonly name = "InvalidInputError";
  declare readonly kind: "invalid_input";
}

/**
 * The caller has no valid access token.
 * Get a token from `/oauth/token` and send it as `Authorization: Bearer`.
 */
export class UnauthenticatedError extends ApiError {
  override readonly name = "UnauthenticatedError";
  declare readonly kind: "unauthenticated";
}

/**
 * No tool of this name is loaded.
 * Take a name from `/api/v1/tools`, or search there; or install the connector.
 */
export class UnknownToolError extends ApiError {
  override readonly name = "UnknownToolError";
  declare readonly kind: "unknown_tool";
}

/**
 * The thing addressed (connection, connector, execution) does not exist for this caller.
 * Check the name or id, and that it is of this environment.
 */
export class NotFoundError extends ApiError {
  override readonly name = "NotFoundError";
  declare readonly kind: "not_found";
}

/**
 * The thing exists already, or changed meanwhile.
 * Read the present state and decide anew.
 */
export class ConflictError extends ApiError {
  override readonly name = "ConflictError";
  declare readonly kind: "conflict";
}

/**
 * The caller, its environment or the tool's own declaration does not allow this.
 * Use a client with the scope that the message names, or ask the operator.
 */
export class PolicyDeniedError extends ApiError {
  override readonly name = "PolicyDeniedError";
  declare readonly kind: "policy_denied";
}

/**
 * The account never granted a scope that the tool needs.
 * Send the account's owner to `authorization_link` to grant the scope.
 */
export class ScopeMissingError extends ApiError {
  override readonly name = "ScopeMissingError";
  declare readonly kind: "scope_missing";
}

/**
 * No connected account matches.
 * Make a link for this user, or check `identifier` and `connection_name`.
 */
export class AccountNotFoundError extends ApiError {
  override readonly name = "AccountNotFoundError";
  declare readonly kind: "account_not_found";
}

/**
 * Several connected accounts match.
 * Name one of the accounts in the message by `connection_name` or `connected_account_id`.
 */
export class AccountAmbiguousError extends ApiError {
  override readonly name = "AccountAmbiguousError";
  declare readonly kind: "account_ambiguous";
}

/**
 * The account matches and cannot be used in its present state.
 * Send the account's owner to `authorization_link`.
 */
export class AccountNotActiveError extends ApiError {
  override readonly name = "AccountNotActiveError";
  declare readonly kind: "account_not_active";
}

/**
 * A link, state or callback that is unknown, used, expired or not for this connection.
 * Make a new link and begin again.
 */
export class FlowInvalidError extends ApiError {
  override readonly name = "FlowInvalidError";
  declare readonly kind: "flow_invalid";
}

/**
 * The vendor, or a declared budget, leaves no room before the deadline.
 * Wait as long as `retry_after_ms` says, or give the call a longer deadline.
 */
export class RateLimitedError extends ApiError {
  override readonly name = "RateLimitedError";
  declare readonly kind: "rate_limited";
}

/**
 * The vendor refused the request (4xx without a more exact kind).
 * Read `vendor` and change the parameters.
 */
export class VendorRejectedError extends ApiError {
  override readonly name = "VendorRejectedError";
  declare readonly kind: "vendor_rejected";
}

/**
 * The vendor says that the thing does not exist.
 * Look the thing up again; it may have been deleted at the vendor.
 */
export class VendorNotFoundError extends ApiError {
  override readonly name = "VendorNotFoundError";
  declare readonly kind: "vendor_not_found";
}

/**
 * The vendor says that the thing exists already or was changed.
 * Read the thing again and decide anew.
 */
export class VendorConflictError extends ApiError {
  override readonly name = "VendorConflictError";
  declare readonly kind: "vendor_conflict";
}

/**
 * The vendor says that this account may not do this.
 * Ask the account's owner for the permission at the vendor.
 */
export class VendorForbiddenError extends ApiError {
  override readonly name = "VendorForbiddenError";
  declare readonly kind: "vendor_forbidden";
}

/**
 * The vendor cannot be reached, breaks the protocol or answers 5xx.
 * Call again later.
 */
export class VendorUnavailableError extends ApiError {
  override readonly name = "VendorUnavailableError";
  declare readonly kind: "vendor_unavailable";
}

/**
 * The vendor did not answer in time.
 * Call again later, or with a longer deadline.
 */
export class VendorTimeoutError extends ApiError {
  override readonly name = "VendorTimeoutError";
  declare readonly kind: "vendor_timeout";
}

/**
 * The connector asked for something that its declaration does not cover; nothing was sent.
 * Tell the connector's author: the declaration lacks this request.
 */
export class EgressDeniedError extends ApiError {
  override readonly name = "EgressDeniedError";
  declare readonly kind: "egress_denied";
}

/**
 * A write was sent and its outcome is unknown; it is never repeated by us.
 * Look at the vendor whether it happened before you call again.
 */
export class AmbiguousOutcomeError extends ApiError {
  override readonly name = "AmbiguousOutcomeError";
  declare readonly kind: "ambiguous_outcome";
}

/**
 * The idempotency key was used with other parameters, or its first call is still running.
 * Use a new key for a new call, or wait for the first one to end.
 */
export class IdempotencyConflictError extends ApiError {
  override readonly name = "IdempotencyConflictError";
  declare readonly kind: "idempotency_conflict";
}

/**
 * The connector crashed.
 * Tell the connector's author the `execution_id`.
 */
export class ConnectorTrappedError extends ApiError {
  override readonly name = "ConnectorTrappedError";
  declare readonly kind: "connector_trapped";
}

/**
 * The connector used up one of its limits.
 * Ask for less at once; if that does not help, tell the operator.
 */
export class ConnectorLimitError extends ApiError {
  override readonly name = "ConnectorLimitError";
  declare readonly kind: "connector_limit";
}

/**
 * The connector answered what its declaration does not allow.
 * Tell the connector's author the `execution_id`.
 */
export class ConnectorOutputInvalidError extends ApiError {
  override readonly name = "ConnectorOutputInvalidError";
  declare readonly kind: "connector_output_invalid";
}

/**
 * The host has no room for the call now.
 * Call again later, and less at once.
 */
export class OverloadedError extends ApiError {
  override readonly name = "OverloadedError";
  declare readonly kind: "overloaded";
}

/**
 * The store does not accept reads or writes.
 * Call again later; the operator looks at the host.
 */
export class StoreUnavailableError extends ApiError {
  override readonly name = "StoreUnavailableError";
  declare readonly kind: "store_unavailable";
}

/**
 * A defect of the host.
 * Tell the operator the `execution_id`.
 */
export class InternalError extends ApiError {
  override readonly name = "InternalError";
  declare readonly kind: "internal";
}

/** The class of each kind. */
export const faults = {
  invalid_input: InvalidInputError,
  unauthenticated: UnauthenticatedError,
  unknown_tool: UnknownToolError,
  not_found: NotFoundError,
  conflict: ConflictError,
  policy_denied: PolicyDeniedError,
  scope_missing: ScopeMissingError,
  account_not_found: AccountNotFoundError,
  account_ambiguous: AccountAmbiguousError,
  account_not_active: AccountNotActiveError,
  flow_invalid: FlowInvalidError,
  rate_limited: RateLimitedError,
  vendor_rejected: VendorRejectedError,
  vendor_not_found: VendorNotFoundError,
  vendor_conflict: VendorConflictError,
  vendor_forbidden: VendorForbiddenError,
  vendor_unavailable: VendorUnavailableError,
  vendor_timeout: VendorTimeoutError,
  egress_denied: EgressDeniedError,
  ambiguous_outcome: AmbiguousOutcomeError,
  idempotency_conflict: IdempotencyConflictError,
  connector_trapped: ConnectorTrappedError,
  connector_limit: ConnectorLimitError,
  connector_output_invalid: ConnectorOutputInvalidError,
  overloaded: OverloadedError,
  store_unavailable: StoreUnavailableError,
  internal: InternalError,
} as const;

/** An error of a host, by its kind: a `switch` over `kind` can be exhaustive. */
export type Fault = { [K in ErrorKind]: InstanceType<(typeof faults)[K]> }[ErrorKind];

/** What to do next about each kind. */
export const advice: Readonly<Record<ErrorKind, string>> = {
  invalid_input: "Mend what `fields` names and call again.",
  unauthenticated: "Get a token from `/oauth/token` and send it as `Authorization: Bearer`.",
  unknown_tool: "Take a name from `/api/v1/tools`, or search there; or install the connector.",
  not_found: "Check the name or id, and that it is of this environment.",
  conflict: "Read the present state and decide anew.",
  policy_denied: "Use a client with the scope that the message names, or ask the operator.",
  scope_missing: "Send the account's owner to `authorization_link` to grant the scope.",
  account_not_found: "Make a link for this user, or check `identifier` and `connection_name`.",
  account_ambiguous:
    "Name one of the accounts in the message by `connection_name` or `connected_account_id`.",
  account_not_active: "Send the account's owner to `authorization_link`.",
  flow_invalid: "Make a new link and begin again.",
  rate_limited: "Wait as long as `retry_after_ms` says, or give the call a longer deadline.",
  vendor_rejected: "Read `vendor` and change the parameters.",
  vendor_not_found: "Look the thing up again; it may have been deleted at the vendor.",
  vendor_conflict: "Read the thing again and decide anew.",
  vendor_forbidden: "Ask the account's owner for the permission at the vendor.",
  vendor_unavailable: "Call again later.",
  vendor_timeout: "Call again later, or with a longer deadline.",
  egress_denied: "Tell the connector's author: the declaration lacks this request.",
  ambiguous_outcome: "Look at the vendor whether it happened before you call again.",
  idempotency_conflict: "Use a new key for a new call, or wait for the first one to end.",
  connector_trapped: "Tell the connector's author the `execution_id`.",
  connector_limit: "Ask for less at once; if that does not help, tell the operator.",
  connector_output_invalid: "Tell the connector's author the `execution_id`.",
  overloaded: "Call again later, and less at once.",
  store_unavailable: "Call again later; the operator looks at the host.",
  internal: "Tell the operator the `execution_id`.",
};
