"""The command line: words in, calls down, words out; knows nothing of how the work is done."""

from photopal.cli.app import main

__all__ = ["main"]
