"""What every error of this package says: what happened, whose move it is, and what to do next.

The class for each kind that a host answers is made from the reference (`_generated/errors.py`); here are their base
and the errors that the client makes itself. No error holds a secret; an authorization link is the user's alone, so
it is a member and never in an error's text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valetkey._generated.models import Problem, Side, VendorError


class ValetkeyError(Exception):
    """Every error of this package."""

    default_kind: str = "internal"
    next_step: str = "Read the message; it says what to do."
    """What to do next, for the developer. The message says it for this one case."""

    def __init__(
        self,
        message: str,
        *,
        kind: str | None = None,
        side: Side = "host",
        retryable: bool = False,
        status: int | None = None,
        reason: str | None = None,
        retry_after_ms: int | None = None,
        fields: Sequence[Problem] = (),
        vendor: VendorError | None = None,
        authorization_link: str | None = None,
        execution_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        """What happened and what to do next; safe for a model."""
        self.kind = kind or self.default_kind
        """What went wrong, for programs; documented in `docs/reference/errors.md`."""
        self.side = side
        """Whose move it is: `caller`, `account`, `vendor`, `connector` or `host`."""
        self.retryable = retryable
        """Whether the same call may succeed later, and cannot do anything twice."""
        self.status = status
        """The HTTP status, when there was an answer."""
        self.reason = reason
        """A stable word that tells variants of a kind apart."""
        self.retry_after_ms = retry_after_ms
        """After how many milliseconds another try makes sense, when that is known."""
        self.fields = list(fields)
        """Complaints about the input, by JSON pointer."""
        self.vendor = vendor
        """What the vendor itself said: untrusted text."""
        self.authorization_link = authorization_link
        """Where the account's owner can mend this."""
        self.execution_id = execution_id
        """The execution, `exe_…`, or the id of the host's log line; for the operator."""
        self.idempotency_key = idempotency_key
        """The key that the call went under. The same call under it does nothing twice."""

    def __str__(self) -> str:
        known = ", ".join(word for word in (self.kind, self.reason, self.execution_id) if word)
        return f"{self.message} ({known})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross processes whole; `Exception` would call the class with the message alone.
        return (type(self), (self.message,), self.__dict__)

    def for_model(self) -> dict[str, Any]:
        """What a model may see and can act on, with the link by which the account's owner can mend it."""
        told: dict[str, Any] = {
            "kind": self.kind,
            "message": self.message,
            "what_to_do": self.next_step,
            "retryable": self.retryable,
            "reason": self.reason,
            "retry_after_ms": self.retry_after_ms,
            "fields": [field.to_wire() for field in self.fields] or None,
            "vendor": self.vendor.to_wire() if self.vendor else None,
            "authorization_link": self.authorization_link,
            "execution_id": self.execution_id,
        }
        return {"error": {name: value for name, value in told.items() if value is not None}}


class ApiError(ValetkeyError):
    """The host answered an error. There is a class for each kind; a kind of a later host is this class."""


class ConnectionFailedError(ValetkeyError):
    """The host could not be reached, or its answer was lost; nothing was done that must not be done twice."""

    default_kind = "connection_failed"
    next_step = "Check the host's URL and that it runs; then call again."


class DeadlineExceededError(ValetkeyError):
    """The time that the call was given is over; nothing was done that must not be done twice."""

    default_kind = "deadline_exceeded"
    next_step = "Call again, with a longer timeout."


class InvalidAnswerError(ValetkeyError):
    """What answered is not a Valetkey host: a proxy before it, or another server."""

    default_kind = "invalid_answer"
    next_step = "Check that the URL is a Valetkey host's, and what a proxy before it answers."
