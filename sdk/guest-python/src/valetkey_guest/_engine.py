"""Runs declared tools: template and input → request; answer and declaration → result. Sends nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._fault import Fault
from ._http import Request, Response, Wanted
from ._json import check, dump, elements, find, without
from ._template import Scope
from ._text import quote

if TYPE_CHECKING:
    from ._call import Page

_NUMBER = re.compile(r"[0-9]+")
_LINK = re.compile(r"<([^>]*)>([^<]*)")


def request(declaration: str, input: str, page: Page, config: Callable[[str], str | None]) -> Request:
    """Fills a declared request in. ``declaration`` and ``input`` are texts of JSON."""
    whole = json.loads(declaration)
    declared, paginator = whole["request"], whole.get("paginator")
    scope = Scope(input, page, paginator, config)
    headers = [("accept", "application/json")]
    for name, template in sorted(declared.get("headers", {}).items()):
        value = scope.text(template)
        if value is not None:
            headers = [header for header in headers if header[0] != name.lower()]
            headers.append((name.lower(), value))
    body = None
    template = find(declaration, "/request/body")
    # The bytes of a file never come here: see `file`.
    if template is not None and template != "null" and declared.get("body_format") != "file":
        is_form = declared.get("body_format") == "form"
        if not any(name == "content-type" for name, _ in headers):
            headers.append(("content-type", "application/x-www-form-urlencoded" if is_form else "application/json"))
        body = (scope.form(template, declared.get("nested")) if is_form else scope.json(template)).encode()
    is_by_url = paginator is not None and paginator["kind"] in ("link_header", "next_url")
    url = page.token if is_by_url else None
    built = Request(declared["method"], declared["endpoint"], "", url=url, headers=headers, body=body)
    if url is None or _is_beside(url):
        built.path = scope.path(declared["path"])
    if url is None:
        query = find(declaration, "/request/query") or "{}"
        built.query = scope.pairs(query, declared.get("query_join"), declared.get("nested"))
    return built


def _is_beside(url: str) -> bool:
    """Whether a next page's URL is relative to the request itself (``?after=7``), which the host has to know then; what
    begins with a slash or a scheme is not (RFC 3986 section 4.2)."""
    return not url.startswith("/") and ":" not in re.split("[/?#]", url, maxsplit=1)[0]


def file(declaration: str, input: str, page: Page) -> str | None:
    """The file that a declared request sends as its body; none for requests with other bodies."""
    declared = json.loads(declaration)["request"]
    if declared.get("body_format") != "file":
        return None
    template = declared.get("body") or ""
    found = Scope(input, page, None, lambda _: None).text(template)
    if not found:
        raise Fault("invalid_input", f"There is no file to send: `{template}` has no value.")
    return found


def wanted(declaration: str, input: str, page: Page, config: Callable[[str], str | None]) -> Wanted | None:
    """How a declared answer is kept as a file; none for answers that are not."""
    kept = (json.loads(declaration).get("response") or {}).get("file")
    if kept is None:
        return None
    template = kept.get("name")
    name = None if template is None else Scope(input, page, None, config).text(template)
    return Wanted(name, kept.get("content_types", []), kept.get("max_bytes"))


def take_any_type(request: Request, declaration: str) -> None:
    """A declared request whose answer is kept takes any type but what the declaration asks for itself."""
    names = json.loads(declaration)["request"].get("headers", {})
    if not any(name.lower() == "accept" for name in names):
        request.headers = [header for header in request.headers if header[0] != "accept"]


def output(declaration: str, page: Page, response: Response) -> tuple[str, str | None]:
    """Reads the vendor's answer to a declared request: the result as a text of JSON, and the next page's token."""
    whole = json.loads(declaration)
    declared, paginator = whole.get("response") or {}, whole.get("paginator")
    if not response.is_success or _is_failure(response, declared.get("failure")):
        raise Fault.from_response(response, whole.get("errors"))
    if not response.body.strip(b" \t\n\f\r"):
        empty = find(declaration, "/response/empty") or "null"
        return (f'{{"ok":true,"status":{response.status}}}' if empty == "null" else empty), None
    try:
        body = response.body.decode()
        check(body)
    except ValueError as error:
        raise Fault.not_json(response, error) from None

    pointer: str = declared.get("pointer") or ""
    result = find(body, pointer) if pointer else body
    if result is None:
        raise _missing_part(pointer, response, body)
    token = _next(paginator or {}, body, result, whole.get("items") or "", page, response)
    data = without(result, declared["drop"]) if declared.get("drop") else result
    for name in declared.get("lists", []):
        data = _with_list(data, name)
    return data, token


def _is_failure(response: Response, pointer: str | None) -> bool:
    """Whether an answer that is called a success has something where the vendor says what failed."""
    if pointer is None:
        return False
    try:
        body = response.body.decode()
        check(body)
    except ValueError:
        return False
    return find(body, pointer) not in (None, "null", "false", '""')


def _next(paginator: dict[str, Any], body: str, result: str, items: str, page: Page, response: Response) -> str | None:
    kind = paginator.get("kind")
    if kind == "cursor" and paginator.get("more") and find(body, paginator["more"]) == "false":
        # Some vendors name a cursor on the last page too.
        return None
    if kind in ("cursor", "next_url"):
        return _token(find(body, paginator["next"]))
    if kind == "link_header":
        return _next_link(response.header("link") or "")
    if kind not in ("offset", "page"):
        return None
    count = _count(result, items, response)
    if kind == "offset":
        after = _number(page.token, 0) + count
        end = _counted(body, paginator.get("total"))
        so_far = after
    else:
        after = _number(page.token, paginator["first"]) + 1
        end = _counted(body, paginator.get("pages"))
        so_far = after - int(paginator["first"])
    if paginator.get("link"):
        goes_on = _next_link(response.header("link") or "") is not None
    elif end is not None:
        goes_on = count > 0 and so_far < end
    else:
        goes_on = count >= max(page.size or 1, 1)
    return str(after) if goes_on else None


def _count(result: str, items: str, response: Response) -> int:
    """The number of items of a page."""
    found = find(result, items)
    if found is None:
        return 0
    count = elements(found)
    if count is None:
        raise Fault.not_json(response, "there is no array of items")
    return len(count)


def _counted(body: str, pointer: str | None) -> int | None:
    """What the vendor counted; none where it says no number."""
    found = find(body, pointer) if pointer else None
    return int(found) if found is not None and _NUMBER.fullmatch(found) else None


def _number(token: str | None, first: int) -> int:
    return int(token) if token is not None and _NUMBER.fullmatch(token) else first


def _token(found: str | None) -> str | None:
    """A page token: a text or a number; empty texts and anything else mean that there is none."""
    if found is None:
        return None
    if found.startswith('"'):
        return json.loads(found) or None
    return found if found[0] in "-0123456789" else None


def _next_link(header: str) -> str | None:
    """The target of ``rel="next"`` in a ``Link`` header (RFC 8288 section 3)."""
    for target, parameters in _LINK.findall(header):
        for parameter in re.split("[;,]", parameters):
            name, _, relations = parameter.strip().partition("=")
            if name == "rel" and "next" in relations.strip('"').lower().split(" "):
                return str(target)
    return None


def _with_list(data: str, name: str) -> str:
    """Puts an empty list into an object that lacks it."""
    pointer = f"/{name.replace('~', '~0').replace('/', '~1')}"
    if not data.lstrip().startswith("{") or find(data, pointer) is not None:
        return data
    before = data[: data.rindex("}")]
    separator = "" if before.rstrip().endswith("{") else ","
    return f"{before}{separator}{dump(name)}:[]}}"


def _missing_part(pointer: str, response: Response, body: str) -> Fault:
    return Fault(
        "vendor_unavailable",
        f"The vendor answered {response.status} without `{pointer}`, where its result should be: {quote(body, 200)}. "
        "The parameters are not the reason; the connector's declaration may need an update.",
    )
