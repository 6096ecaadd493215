"""Made from the reference. scripts/generate.py wrote this file; change what it was made from."""
