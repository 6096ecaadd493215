"""Lists of the host, walked page by page as far as somebody reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class AsyncPages(Generic[T]):
    """A list. Iterating gives its items and asks for the next page when it is needed; nothing is asked before.

    ```python
    async for account in client.connected_accounts.list(state="EXPIRED"):
        …
    ```
    """

    def __init__(self, page: Callable[[str | None], Awaitable[Any]], cursor: str | None = None) -> None:
        self._page = page
        self._cursor = cursor

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self) -> AsyncIterator[Any]:
        """The pages as the host gives them, each with `items` and `next_cursor`."""
        cursor = self._cursor
        while True:
            page = await self._page(cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    async def all(self) -> list[T]:
        """Every item."""
        return [item async for item in self]
