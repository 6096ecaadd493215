"""Time as the synchronous client needs it.

scripts/generate.py wrote this file; change what it was made from.
"""

from __future__ import annotations

import time


class Clock:
    """The machine's own time. Tests give a client another."""

    def now(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits so long."""
        time.sleep(seconds)
