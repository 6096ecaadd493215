"""One call from its first attempt to its end, as decisions without any waiting or sending: what goes on the wire, and
what an answer, a lost answer or a silence means. Both clients drive it; the rules of `sdk/cases` are kept here.

A call is repeated only where nothing can happen twice: the host said so (`retryable`), nothing was sent, the operation
changes nothing, or the host knows the call by its idempotency key.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping
from typing import Any, Generic
from urllib.parse import urlencode

from valetkey import _answers, _trace
from valetkey._errors import ApiError, ConnectionFailedError, DeadlineExceededError, ValetkeyError
from valetkey._generated.errors import AmbiguousOutcomeError, UnauthenticatedError
from valetkey._operation import Operation, RawAnswer, T
from valetkey._settings import Secret
from valetkey._version import __version__

GRACE = 1.0
"""Seconds beyond the deadline in which the host's own answer about it may arrive."""
PATIENCE = 130.0
"""Seconds for an attempt without a deadline: longer than the host's own default can be by default."""
LONGEST_UNASKED_WAIT = 30.0
"""Seconds that are waited for another attempt when the caller named no deadline."""
CONNECT_TIME = 10.0
"""Seconds for a connection to be made."""

_FIRST_WAIT, _LONGEST_WAIT = 0.25, 8.0

# Writes that may happen twice: one more token or link, and the account that is there already is answered.
_HARMLESS = frozenset({"token", "createMagicLink", "createConnectedAccount"})
# Operations whose body takes the caller's deadline; a raw request's headers do.
_TOLD_THE_DEADLINE = frozenset({"executeTool"})


@dataclasses.dataclass(frozen=True)
class Done(Generic[T]):
    """The call ended well."""

    value: T


@dataclasses.dataclass(frozen=True)
class Again:
    """The call is to be sent again: after `wait` seconds, with a new token when `renew` is set."""

    wait: float = 0.0
    renew: bool = False


@dataclasses.dataclass(frozen=True)
class Wire:
    """A request, ready to be sent."""

    method: str
    path: str
    headers: list[tuple[bytes, bytes]] = dataclasses.field(repr=False)
    query: tuple[tuple[str, str], ...]
    json: Any
    content: bytes | None = dataclasses.field(repr=False)
    patience: float
    """Seconds for the whole answer."""


class Deadline:
    """The time that a call has; without a timeout there is no end."""

    def __init__(self, now: Callable[[], float], timeout: float | None) -> None:
        self._now = now
        self.timeout = timeout
        self._end = None if timeout is None else now() + timeout

    def left(self) -> float | None:
        """Seconds that are left, not below zero; none when there is no end."""
        return None if self._end is None else max(0.0, self._end - self._now())

    def allows(self, wait: float) -> bool:
        """Whether something can come of waiting so long."""
        left = self.left()
        return wait <= LONGEST_UNASKED_WAIT if left is None else wait < left


class Call(Generic[T]):
    """One call: its request, and what to do about what comes back."""

    def __init__(
        self,
        operation: Operation[T],
        deadline: Deadline,
        *,
        max_attempts: int,
        idempotency_key: str | None = None,
        changes_nothing: bool = False,
    ) -> None:
        self.operation = operation
        self.deadline = deadline
        self.idempotency_key = idempotency_key
        self._attempts_left = max_attempts
        self._attempts = 0
        self._renewed = False
        # How an attempt ended that may have happened; later attempts that fail do not make it known.
        self._unknown: tuple[str, str] | None = None
        self._repeatable = (
            changes_nothing or operation.changes_nothing or idempotency_key is not None or operation.name in _HARMLESS
        )
        # What an error may promise: the same call again would go under another key.
        self._harmless = changes_nothing or operation.changes_nothing or operation.name in _HARMLESS

    def wire(self, token: Secret | None) -> Wire:
        """The next attempt's request. Raises when the time is over before it."""
        left = self.deadline.left()
        if left == 0.0:
            raise self._known(
                DeadlineExceededError(
                    f"The {self.deadline.timeout} s of this call were over before it was sent. "
                    "Call again, with a longer timeout.",
                    side="caller",
                    retryable=True,
                )
            )
        self._attempts += 1
        operation = self.operation
        headers = {
            "accept": "application/json",
            "user-agent": f"valetkey-python/{__version__}",
            **_trace.headers(),
            **{name.lower(): value for name, value in operation.headers.items() if value is not None},
        }
        if token is not None:
            headers["authorization"] = f"Bearer {token.reveal()}"
        if self.idempotency_key is not None:
            headers["idempotency-key"] = self.idempotency_key
        json, content = operation.json, operation.content
        if left is not None and operation.name in _TOLD_THE_DEADLINE:
            json = {**json, "deadline_ms": max(1, round(left * 1000))}
        if left is not None and operation.answer is RawAnswer:
            headers["deadline-ms"] = str(max(1, round(left * 1000)))
        if operation.form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
            form = {name: value for name, value in operation.form.items() if value is not None}
            content = urlencode(form).encode()
        return Wire(
            method=operation.method,
            path=operation.url_path(),
            headers=[_header(name, _text(value)) for name, value in headers.items()],
            query=tuple((name, _text(value)) for name, value in operation.query.items() if value is not None),
            json=json,
            content=content,
            patience=PATIENCE if left is None else left + GRACE,
        )

    def answered(self, status: int, headers: Mapping[str, str], body: bytes) -> Done[T] | Again:
        """What to do about an answer. Raises what the call fails with."""
        raw = _answers.vendors_own(self.operation, headers, body)
        if raw is not None:
            return Done(raw)
        if 200 <= status < 300:
            return Done(_answers.value_of(self.operation, status, body))
        error = _answers.error_of(status, body)
        if error is None:
            return self._answered_by_another(status, headers, body)
        error.idempotency_key = self.idempotency_key
        refused = isinstance(error, UnauthenticatedError) and status == 401
        if refused and not self._renewed and not self.operation.public:
            self._renewed = True
            return Again(renew=True)
        if error.retryable:
            return self._again(error, error.retry_after_ms)
        raise error

    def _answered_by_another(self, status: int, headers: Mapping[str, str], body: bytes) -> Again:
        error: ValetkeyError = _answers.not_a_hosts(status, body)
        if error.retryable and self._repeatable:
            self._unknown = ("gateway_answered", error.message)
            return self._again(error, _answers.retry_after_ms(headers))
        if status >= 500:
            raise self._ambiguous("gateway_answered", error.message, status)
        raise error

    def not_sent(self, cause: Exception) -> Again:
        """What to do when the host could not be reached. Raises what the call fails with."""
        return self._again(
            ConnectionFailedError(
                f"The host cannot be reached: {_shown(cause)}. Nothing was sent; call again later.",
                retryable=True,
                idempotency_key=self.idempotency_key,
            )
        )

    def lost(self, cause: Exception) -> Again:
        """What to do when the request went out and its answer is lost. Raises what the call fails with."""
        text = f"The connection to the host was lost before its answer: {_shown(cause)}."
        if not self._repeatable:
            raise self._ambiguous("answer_lost", text)
        self._unknown = ("answer_lost", text)
        return self._again(ConnectionFailedError(f"{text} Call again later.", retryable=True))

    def late(self) -> Exception:
        """What a call fails with whose answer did not come in time."""
        after = PATIENCE if self.deadline.timeout is None else self.deadline.timeout
        text = f"The host did not answer within {after:g} s."
        if not self._harmless:
            return self._ambiguous("answer_late", text)
        return DeadlineExceededError(f"{text} Call again, with a longer timeout.", side="caller", retryable=True)

    def _again(self, error: ValetkeyError, told_ms: int | None = None) -> Again:
        """The next attempt, when there is one: attempts and time are left."""
        if told_ms is None:
            longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (self._attempts - 1))
            wait = longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret
        else:
            wait = told_ms / 1000
        if self._attempts >= self._attempts_left or not self.deadline.allows(wait):
            raise self._known(error)
        return Again(wait=wait)

    def _known(self, error: ValetkeyError) -> ValetkeyError:
        """The error of the last attempt, or what is known of an earlier one that may have happened."""
        return error if self._harmless or self._unknown is None else self._ambiguous(*self._unknown)

    def _ambiguous(self, reason: str, text: str, status: int | None = None) -> ApiError:
        what = f"{text} Whether {self.operation.name} happened is not known."
        if self.idempotency_key is None:
            what += " Look before you call again."
        else:
            what += " Look before you call again, or call again with the same idempotency key."
        return AmbiguousOutcomeError(
            what, reason=reason, status=status, side="host", idempotency_key=self.idempotency_key
        )


def _header(name: str, value: str) -> tuple[bytes, bytes]:
    if any(letter < " " or letter == "\x7f" for letter in name + value):
        raise ValueError(f"the header {name!r} holds a control character")
    return name.encode(), value.encode()


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(_text(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(cause: Exception) -> str:
    return str(cause) or type(cause).__name__
