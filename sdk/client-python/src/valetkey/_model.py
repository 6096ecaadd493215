"""Values of the wire as frozen dataclasses: the base of every generated model.

A member that a later host adds is ignored, a word that it adds to an enumeration is taken as it is, so that an
older package works with a newer host. A promised member that is missing or of another type is an error.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from typing_extensions import Self

Decoder = Callable[[Any], Any]


class Mismatch(Exception):  # noqa: N818 - no caller sees it
    """A value is not of the promised shape; the text says where and how."""


@dataclasses.dataclass(frozen=True)
class Model:
    """A value of the wire."""

    @classmethod
    def from_wire(cls, value: Any) -> Self:
        """Reads parsed JSON. Raises `Mismatch` when a promised member is missing or of another type."""
        if not isinstance(value, Mapping):
            raise Mismatch(f"{cls.__name__} must be an object")
        members: dict[str, Any] = {}
        for name, wire, required, decode in _members(cls):
            if wire in value:
                try:
                    members[name] = decode(value[wire])
                except Mismatch as mismatch:
                    raise Mismatch(f"{cls.__name__}.{wire}: {mismatch}") from None
            elif required:
                raise Mismatch(f"{cls.__name__}.{wire} is missing")
        return cls(**members)

    def to_wire(self) -> dict[str, Any]:
        """As parsed JSON, without the members that are absent."""
        found = {wire: encode(getattr(self, name)) for name, wire, _, _ in _members(type(self))}
        return {wire: value for wire, value in found.items() if value is not None}


def decoder(annotation: Any) -> Decoder:
    """Reads parsed JSON as a value of this type."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation.from_wire
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        item = decoder(arguments[0])
        return lambda value: [item(each) for each in _expect(list, value, "an array")]
    if origin is dict:
        item = decoder(arguments[1])
        return lambda value: {name: item(each) for name, each in _expect(dict, value, "an object").items()}
    if origin in (typing.Union, types.UnionType):
        if types.NoneType in arguments:
            some = [argument for argument in arguments if argument is not types.NoneType]
            inner = decoder(some[0]) if len(some) == 1 else decoder(functools.reduce(operator.or_, some))
            return lambda value: None if value is None else inner(value)
        if str in arguments:
            # Words that are known, or any other: `Literal[…] | str`.
            return decoder(str)
        return _first_that_fits([decoder(argument) for argument in arguments])
    if annotation is str:
        return lambda value: _expect(str, value, "a text")
    if annotation is bool:
        return lambda value: _expect(bool, value, "true or false")
    if annotation is int:
        return _integer
    if annotation is float:
        return lambda value: float(_expect((int, float), value, "a number"))
    return _as_it_is


_known: dict[type[Model], list[tuple[str, str, bool, Decoder]]] = {}


def _members(model: type[Model]) -> list[tuple[str, str, bool, Decoder]]:
    """Name here, name on the wire, whether it is promised, and how it is read; worked out once for each model."""
    if model not in _known:
        hints = typing.get_type_hints(model, vars(sys.modules[model.__module__]))
        _known[model] = [
            (
                member.name,
                member.metadata.get("wire", member.name),
                member.default is dataclasses.MISSING,
                decoder(hints[member.name]),
            )
            for member in dataclasses.fields(model)
        ]
    return _known[model]


def _first_that_fits(decoders: list[Decoder]) -> Decoder:
    """For a value that may be of several shapes; one of a shape that is not known is taken as it is."""

    def decode(value: Any) -> Any:
        for each in decoders:
            try:
                return each(value)
            except Mismatch:  # noqa: PERF203 - a few shapes
                continue
        return value

    return decode


def encode(value: Any) -> Any:
    """The value as parsed JSON, with every model in it rendered."""
    if isinstance(value, Model):
        return value.to_wire()
    if isinstance(value, list):
        return [encode(each) for each in value]
    if isinstance(value, dict):
        return {name: encode(each) for name, each in value.items()}
    return value


def _expect(kind: Any, value: Any, what: str) -> Any:
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise Mismatch(f"must be {what}")


def _integer(value: Any) -> int:
    number = _expect((int, float), value, "a whole number")
    if number != int(number):
        raise Mismatch("must be a whole number")
    return int(number)


def _as_it_is(value: Any) -> Any:
    return value
