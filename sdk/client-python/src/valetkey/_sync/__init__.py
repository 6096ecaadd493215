"""The synchronous client; `scripts/generate.py` makes the synchronous one from these files.

scripts/generate.py wrote this file; change what it was made from.
"""
