"""Time as the asynchronous client needs it."""

from __future__ import annotations

import time

import anyio


class AsyncClock:
    """The machine's own time. Tests give a client another."""

    def now(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Waits so long."""
        await anyio.sleep(seconds)
