"""Lists of the host, walked page by page as far as somebody reads.

scripts/generate.py wrote this file; change what it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Pages(Generic[T]):
    """A list. Iterating gives its items and asks for the next page when it is needed; nothing is asked before.

    ```python
    for account in client.connected_accounts.list(state="EXPIRED"):
        …
    ```
    """

    def __init__(self, page: Callable[[str | None], Any], cursor: str | None = None) -> None:
        self._page = page
        self._cursor = cursor

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            for item in page.items:
                yield item

    def pages(self) -> Iterator[Any]:
        """The pages as the host gives them, each with `items` and `next_cursor`."""
        cursor = self._cursor
        while True:
            page = self._page(cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def all(self) -> list[T]:
        """Every item."""
        return [item for item in self]
