"""Why a tool call did not succeed, in words that a model can act on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._json import check, find
from ._text import cut, quote

if TYPE_CHECKING:
    from ._http import Response

# Where vendors keep their code, as a rule.
_USUAL_CODES = [
    "/error/status",
    "/error/code",
    "/code",
    "/category",
    "/errors/0/code",
    "/errors/0/extensions/code",
]

# Where vendors keep their text, as a rule.
_USUAL_MESSAGES = [
    "/error/message",
    "/message",
    "/error_description",
    "/errors/0/message",
    "/errors/0",
    "/error",
    "/detail",
]

_CODES = {
    401: "account_not_active",
    403: "vendor_forbidden",
    404: "vendor_not_found",
    409: "vendor_conflict",
    410: "vendor_not_found",
    412: "vendor_conflict",
    429: "rate_limited",
}

_NEXT_STEPS = {
    "account_not_active": "The account's owner has to connect it again.",
    "scope_missing": "The account's owner has to connect it again and grant the missing scope.",
    "vendor_forbidden": ("The connected account may not do this; ask its owner for access or choose something else."),
    "vendor_not_found": "Check the id: a search or list tool finds the valid ones.",
    "vendor_conflict": "It exists already or has changed meanwhile: read it again, then decide.",
    "rate_limited": "Wait before calling again.",
    "vendor_unavailable": "The parameters are not the reason; try again later.",
    "vendor_timeout": "The parameters are not the reason; try again later.",
}


class Fault(Exception):  # noqa: N818 - the contract calls it that
    """Why a tool call did not succeed. Raised by requests, and by functions that refuse.

    ``code`` is one of the contract's (``invalid_input``, ``vendor_rejected``, ``vendor_not_found`` …); ``message``
    says what happened and what to do next, in one or two sentences for a model.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        vendor_code: str | None = None,
        retry_after_ms: int | None = None,
        problems: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        #: The vendor's HTTP status, when it answered.
        self.status = status
        #: The vendor's own code, when it gave one.
        self.vendor_code = vendor_code
        #: How long to wait before another try, when known.
        self.retry_after_ms = retry_after_ms
        #: Complaints about the input: a JSON pointer and what is wrong there.
        self.problems = list(problems)

    @classmethod
    def invalid(cls, pointer: str, problem: str) -> Fault:
        """The caller's input cannot be used: which parameter (a JSON pointer), and what is wanted."""
        return cls("invalid_input", f"`{pointer.lstrip('/')}` {problem}.", problems=[(pointer, problem)])

    @classmethod
    def from_response(cls, response: Response, errors: dict[str, Any] | None) -> Fault:
        """The fault that a vendor's answer means, read as the manifest's ``errors`` say."""
        errors = errors or {}
        body = _json(response.body)
        vendor_code = _first(body, errors.get("code", []), _USUAL_CODES)
        words = _first(body, errors.get("message", []), _USUAL_MESSAGES)
        if words is None and body is None:
            words = _plain_text(response)
        rule: dict[str, Any] = next(
            (rule for rule in errors.get("map", []) if _applies(rule, response.status, vendor_code)), {}
        )
        usual = "vendor_unavailable" if response.status >= 500 else "vendor_rejected"
        code = rule.get("kind") or _CODES.get(response.status, usual)

        message = f"The vendor answered {response.status}"
        if vendor_code is not None:
            message += f" ({cut(vendor_code, 100)})"
        if words is not None:
            message += f": {quote(words, 1000)}"
        usual_step = _NEXT_STEPS.get(code, "Change the parameters as it says, then call again.")
        message += f". {rule.get('hint') or usual_step}"
        seconds = (response.header("retry-after") or "").strip()
        return cls(
            code,
            message,
            status=response.status,
            vendor_code=vendor_code,
            retry_after_ms=int(seconds) * 1000 if seconds.isascii() and seconds.isdigit() else None,
        )

    @classmethod
    def not_json(cls, response: Response, problem: object) -> Fault:
        """The fault of a success whose body is not the JSON that was expected."""
        return cls(
            "vendor_unavailable",
            f"The vendor answered {response.status} with something other than the JSON that was expected ({problem}): "
            f"{quote(response.text(), 200)}. The parameters are not the reason; try again later.",
            status=response.status,
        )


def _json(body: bytes) -> str | None:
    try:
        text = body.decode()
        check(text)
    except ValueError:
        return None
    return text


def _first(body: str | None, declared: list[str], usual: list[str]) -> str | None:
    if body is None:
        return None
    for pointer in declared or usual:
        found = find(body, pointer)
        if found is None or found == '""':
            continue
        if found.startswith('"'):
            return str(json.loads(found))
        if found[0] in "-0123456789":
            return found
    return None


def _plain_text(response: Response) -> str | None:
    is_text = (response.header("content-type") or "text/plain").startswith("text/plain")
    return response.text() if is_text and response.body else None


def _applies(rule: dict[str, Any], status: int, vendor_code: str | None) -> bool:
    return rule.get("status") in (None, status) and rule.get("code") in (None, vendor_code)
