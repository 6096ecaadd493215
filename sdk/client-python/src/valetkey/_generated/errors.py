"""One class for each kind of error of the reference. scripts/generate.py wrote this file; change what it was made from."""

from __future__ import annotations

from valetkey._errors import ApiError


class InvalidInputError(ApiError):
    """The parameters do not satisfy the tool's schema, or a request body is malformed.

    Mend what `fields` names and call again.
    """

    default_kind = "invalid_input"
    next_step = "Mend what `fields` names and call again."


class UnauthenticatedError(ApiError):
    """The caller has no valid access token.

    Get a token from `/oauth/token` and send it as `Authorization: Bearer`.
    """

    default_kind = "unauthenticated"
    next_step = "Get a token from `/oauth/token` and send it as `Authorization: Bearer`."


class UnknownToolError(ApiError):
    """No tool of this name is loaded.

    Take a name from `/api/v1/tools`, or search there; or install the connector.
    """

    default_kind = "unknown_tool"
    next_step = "Take a name from `/api/v1/tools`, or search there; or install the connector."


class NotFoundError(ApiError):
    """The thing addressed (connection, connector, execution) does not exist for this caller.

    Check the name or id, and that it is of this environment.
    """

    default_kind = "not_found"
    next_step = "Check the name or id, and that it is of this environment."


class ConflictError(ApiError):
    """The thing exists already, or changed meanwhile.

    Read the present state and decide anew.
    """

    default_kind = "conflict"
    next_step = "Read the present state and decide anew."


class PolicyDeniedError(ApiError):
    """The caller, its environment or the tool's own declaration does not allow this.

    Use a client with the scope that the message names, or ask the operator.
    """

    default_kind = "policy_denied"
    next_step = "Use a client with the scope that the message names, or ask the operator."


class ScopeMissingError(ApiError):
    """The account never granted a scope that the tool needs.

    Send the account's owner to `authorization_link` to grant the scope.
    """

    default_kind = "scope_missing"
    next_step = "Send the account's owner to `authorization_link` to grant the scope."


class AccountNotFoundError(ApiError):
    """No connected account matches.

    Make a link for this user, or check `identifier` and `connection_name`.
    """

    default_kind = "account_not_found"
    next_step = "Make a link for this user, or check `identifier` and `connection_name`."


class AccountAmbiguousError(ApiError):
    """Several connected accounts match.

    Name one of the accounts in the message by `connection_name` or `connected_account_id`.
    """

    default_kind = "account_ambiguous"
    next_step = "Name one of the accounts in the message by `connection_name` or `connected_account_id`."


class AccountNotActiveError(ApiError):
    """The account matches and cannot be used in its present state.

    Send the account's owner to `authorization_link`.
    """

    default_kind = "account_not_active"
    next_step = "Send the account's owner to `authorization_link`."


class FlowInvalidError(ApiError):
    """A link, state or callback that is unknown, used, expired or not for this connection.

    Make a new link and begin again.
    """

    default_kind = "flow_invalid"
    next_step = "Make a new link and begin again."


class RateLimitedError(ApiError):
    """The vendor, or a declared budget, leaves no room before the deadline.

    Wait as long as `retry_after_ms` says, or give the call a longer deadline.
    """

    default_kind = "rate_limited"
    next_step = "Wait as long as `retry_after_ms` says, or give the call a longer deadline."


class VendorRejectedError(ApiError):
    """The vendor refused the request (4xx without a more exact kind).

    Read `vendor` and change the parameters.
    """

    default_kind = "vendor_rejected"
    next_step = "Read `vendor` and change the parameters."


class VendorNotFoundError(ApiError):
    """The vendor says that the thing does not exist.

    Look the thing up again; it may have been deleted at the vendor.
    """

    default_kind = "vendor_not_found"
    next_step = "Look the thing up again; it may have been deleted at the vendor."


class VendorConflictError(ApiError):
    """The vendor says that the thing exists already or was changed.

    Read the thing again and decide anew.
    """

    default_kind = "vendor_conflict"
    next_step = "Read the thing again and decide anew."


class VendorForbiddenError(ApiError):
    """The vendor says that this account may not do this.

    Ask the account's owner for the permission at the vendor.
    """

    default_kind = "vendor_forbidden"
    next_step = "Ask the account's owner for the permission at the vendor."


class VendorUnavailableError(ApiError):
    """The vendor cannot be reached, breaks the protocol or answers 5xx.

    Call again later.
    """

    default_kind = "vendor_unavailable"
    next_step = "Call again later."


class VendorTimeoutError(ApiError):
    """The vendor did not answer in time.

    Call again later, or with a longer deadline.
    """

    default_kind = "vendor_timeout"
    next_step = "Call again later, or with a longer deadline."


class EgressDeniedError(ApiError):
    """The connector asked for something that its declaration does not cover; nothing was sent.

    Tell the connector's author: the declaration lacks this request.
    """

    default_kind = "egress_denied"
    next_step = "Tell the connector's author: the declaration lacks this request."


class AmbiguousOutcomeError(ApiError):
    """A write was sent and its outcome is unknown; it is never repeated by us.

    Look at the vendor whether it happened before you call again.
    """

    default_kind = "ambiguous_outcome"
    next_step = "Look at the vendor whether it happened before you call again."


class IdempotencyConflictError(ApiError):
    """The idempotency key was used with other parameters, or its first call is still running.

    Use a new key for a new call, or wait for the first one to end.
    """

    default_kind = "idempotency_conflict"
    next_step = "Use a new key for a new call, or wait for the first one to end."


class ConnectorTrappedError(ApiError):
    """The connector crashed.

    Tell the connector's author the `execution_id`.
    """

    default_kind = "connector_trapped"
    next_step = "Tell the connector's author the `execution_id`."


class ConnectorLimitError(ApiError):
    """The connector used up one of its limits.

    Ask for less at once; if that does not help, tell the operator.
    """

    default_kind = "connector_limit"
    next_step = "Ask for less at once; if that does not help, tell the operator."


class ConnectorOutputInvalidError(ApiError):
    """The connector answered what its declaration does not allow.

    Tell the connector's author the `execution_id`.
    """

    default_kind = "connector_output_invalid"
    next_step = "Tell the connector's author the `execution_id`."


class OverloadedError(ApiError):
    """The host has no room for the call now.

    Call again later, and less at once.
    """

    default_kind = "overloaded"
    next_step = "Call again later, and less at once."


class StoreUnavailableError(ApiError):
    """The store does not accept reads or writes.

    Call again later; the operator looks at the host.
    """

    default_kind = "store_unavailable"
    next_step = "Call again later; the operator looks at the host."


class InternalError(ApiError):
    """A defect of the host.

    Tell the operator the `execution_id`.
    """

    default_kind = "internal"
    next_step = "Tell the operator the `execution_id`."


BY_KIND: dict[str, type[ApiError]] = {
    "invalid_input": InvalidInputError,
    "unauthenticated": UnauthenticatedError,
    "unknown_tool": UnknownToolError,
    "not_found": NotFoundError,
    "conflict": ConflictError,
    "policy_denied": PolicyDeniedError,
    "scope_missing": ScopeMissingError,
    "account_not_found": AccountNotFoundError,
    "account_ambiguous": AccountAmbiguousError,
    "account_not_active": AccountNotActiveError,
    "flow_invalid": FlowInvalidError,
    "rate_limited": RateLimitedError,
    "vendor_rejected": VendorRejectedError,
    "vendor_not_found": VendorNotFoundError,
    "vendor_conflict": VendorConflictError,
    "vendor_forbidden": VendorForbiddenError,
    "vendor_unavailable": VendorUnavailableError,
    "vendor_timeout": VendorTimeoutError,
    "egress_denied": EgressDeniedError,
    "ambiguous_outcome": AmbiguousOutcomeError,
    "idempotency_conflict": IdempotencyConflictError,
    "connector_trapped": ConnectorTrappedError,
    "connector_limit": ConnectorLimitError,
    "connector_output_invalid": ConnectorOutputInvalidError,
    "overloaded": OverloadedError,
    "store_unavailable": StoreUnavailableError,
    "internal": InternalError,
}
