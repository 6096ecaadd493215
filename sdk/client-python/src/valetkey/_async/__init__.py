"""The asynchronous client; `scripts/generate.py` makes the synchronous one from these files."""
