"""One request of the REST interface as a value: what the generated functions make and what the clients send."""

from __future__ import annotations

import dataclasses
import enum
import json as json_text
from collections.abc import Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from valetkey._model import encode

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class RawAnswer:
    """What a vendor answered to a raw request, whatever it was."""

    status: int
    """The vendor's own status."""
    headers: Mapping[str, str]
    """Headers, by lower-case name."""
    content: bytes
    """The body."""

    @property
    def execution_id(self) -> str | None:
        """The execution, for the record."""
        return self.headers.get("x-execution-id")

    def json(self) -> Any:
        """The body as JSON."""
        return json_text.loads(self.content)


@dataclasses.dataclass(frozen=True)
class Operation(Generic[T]):
    """A request that was not sent yet. `client.send(operation)` sends it."""

    name: str
    """The operation's id in the OpenAPI document."""
    method: str
    path: str
    """Path template; `path_parameters` go into its braces, escaped."""
    answer: Any
    """Type of the answer's JSON; `None` for no body, `bytes` for the body as it comes, `RawAnswer` for a vendor's."""
    path_parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    query: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Parameters of the query; those that are `None` are left out, lists are joined by commas."""
    headers: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Further headers; those that are `None` are left out."""
    json: Any = None
    """The body, as JSON."""
    form: Mapping[str, str | None] | None = dataclasses.field(default=None, repr=False)
    """The body, as a form; members that are `None` are left out."""
    content: bytes | None = None
    """The body as bytes, with its `content-type` among the headers."""
    public: bool = False
    """Whether it goes without an access token."""
    changes_nothing: bool = False
    """Whether sending it twice is the same as sending it once."""

    def url_path(self) -> str:
        """The path with its parameters, each escaped whole."""
        path = self.path
        for name, value in self.path_parameters.items():
            escaped = quote(value, safe="")
            # Dots alone would be taken for steps between folders.
            escaped = escaped.replace(".", "%2E") if value in (".", "..") else escaped
            path = path.replace("{" + name + "}", escaped)
        return path


class Unset(enum.Enum):
    """Stands for a member that is not given, where null means something."""

    UNSET = "unset"


UNSET = Unset.UNSET


def present(members: Mapping[str, Any], nullable: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A JSON body without the members that were not given; `nullable` ones mean something when null."""
    return {
        name: encode(value)
        for name, value in members.items()
        if value is not UNSET and (value is not None or name in nullable)
    }
