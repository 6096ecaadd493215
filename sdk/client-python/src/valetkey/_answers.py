"""Answers of the host as values or errors. Nothing here waits or repeats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from valetkey._errors import ApiError, InvalidAnswerError
from valetkey._generated.errors import BY_KIND
from valetkey._generated.models import BodyError
from valetkey._model import Mismatch, decoder
from valetkey._operation import Operation, RawAnswer, T

# Of an answer that is not a host's, so much is shown.
_SHOWN = 120


def value_of(operation: Operation[T], status: int, body: bytes) -> T:
    """The value of a successful answer."""
    if operation.answer is None:
        return None  # type: ignore[return-value]
    if operation.answer is bytes:
        return body  # type: ignore[return-value]
    try:
        value: T = decoder(operation.answer)(json.loads(body))
    except (ValueError, Mismatch) as problem:
        what = problem if isinstance(problem, Mismatch) else "it is not JSON"
        raise InvalidAnswerError(
            f"The answer to {operation.name} (status {status}) is not what the host promises: {what}. "
            "The operation itself succeeded.",
            status=status,
        ) from None
    return value


def vendors_own(operation: Operation[T], headers: Mapping[str, str], body: bytes) -> T | None:
    """The vendor's answer to a raw request; none when the host itself answered."""
    status = headers.get("x-vendor-status", "")
    if operation.answer is not RawAnswer or not status.isdigit():
        return None
    return RawAnswer(int(status), {name.lower(): value for name, value in headers.items()}, body)  # type: ignore[return-value]


def error_of(status: int, body: bytes) -> ApiError | None:
    """The error that a host answered; none when the answer is not a host's."""
    try:
        answered = BodyError.from_wire(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError, Mismatch):
        return None
    return BY_KIND.get(answered.kind, ApiError)(
        answered.message,
        kind=answered.kind,
        side=answered.side,
        retryable=answered.retryable,
        status=status,
        reason=answered.reason,
        retry_after_ms=answered.retry_after_ms,
        fields=answered.fields or (),
        vendor=answered.vendor,
        authorization_link=answered.authorization_link,
        execution_id=answered.execution_id,
    )


def not_a_hosts(status: int, body: bytes) -> InvalidAnswerError:
    """The error for an answer that is not a host's."""
    shown = " ".join(body[: _SHOWN * 4].decode("utf-8", "replace").split())[:_SHOWN]
    text = f"What answered is not a Valetkey host: status {status}"
    if 300 <= status < 400:
        text += ", a redirect, which is never followed; give the host's own URL"
    elif shown:
        text += f", {shown!r}"
    return InvalidAnswerError(f"{text}.", status=status, retryable=status == 429 or status >= 500)


def retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """`Retry-After` in seconds; a date is not waited for."""
    text: Any = headers.get("retry-after", "")
    return int(text) * 1000 if text.isascii() and text.isdigit() else None
