"""The values of the cases: comparing, saving and filling in (`sdk/cases/README.md`)."""

from __future__ import annotations

import re
from typing import Any

_SAVED = re.compile(r"\$\{([a-z_]+)\}")


class Values:
    """What a case knows by name."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = dict(known)

    def fill(self, value: Any) -> Any:
        """The value with every `${name}` replaced."""
        if isinstance(value, str):
            return _SAVED.sub(lambda found: self.known[found[1]], value)
        if isinstance(value, list):
            return [self.fill(each) for each in value]
        if isinstance(value, dict):
            return {name: self.fill(each) for name, each in value.items()}
        return value

    def differences(self, wanted: Any, found: Any, place: str = "", whole: bool = False) -> list[str]:
        """What is not as the case wants it; `whole` says that objects have no further members."""
        if isinstance(wanted, str) and wanted.startswith("$") and not wanted.startswith("${"):
            return self._special(wanted, found, place)
        if isinstance(wanted, dict) and list(wanted) == ["$contains"]:
            return self._contains(wanted["$contains"], found, place)
        if isinstance(wanted, dict):
            if not isinstance(found, dict):
                return [f"{place}: {found!r} is not an object"]
            problems = [
                problem
                for name, value in wanted.items()
                for problem in self.differences(value, found.get(name), f"{place}/{name}", whole)
            ]
            if whole:
                problems += [f"{place}/{name} must not be there" for name in found if name not in wanted]
            return problems
        if isinstance(wanted, list):
            if not isinstance(found, list) or len(found) != len(wanted):
                return [f"{place}: {found!r} is not an array of {len(wanted)}"]
            return [
                problem
                for index, (one, other) in enumerate(zip(wanted, found, strict=True))
                for problem in self.differences(one, other, f"{place}/{index}", whole)
            ]
        wanted = self.fill(wanted)
        same = wanted == found and isinstance(wanted, bool) == isinstance(found, bool)
        return [] if same else [f"{place}: {found!r} is not {wanted!r}"]

    def _special(self, wanted: str, found: Any, place: str) -> list[str]:
        word, _, rest = wanted.partition(":")
        if word == "$absent":
            return [] if found is None else [f"{place}: {found!r} must not be there"]
        if found is None:
            return [f"{place} is missing"]
        if word == "$save":
            self.known[rest] = str(found)
        elif word == "$match":
            if not isinstance(found, str) or not re.search(rest, found):
                return [f"{place}: {found!r} does not match {rest}"]
        elif word != "$any":
            return [f"{place}: {wanted} is not known"]
        return []

    def _contains(self, wanted: list[Any], found: Any, place: str) -> list[str]:
        if not isinstance(found, list):
            return [f"{place}: {found!r} is not an array"]
        return [
            f"{place}: nothing in it is {each!r}"
            for each in wanted
            if all(self.differences(each, item, place) for item in found)
        ]
