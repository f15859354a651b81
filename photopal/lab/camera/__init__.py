"""Measures how people, pets and things are recognized on camera photos, in folders of photos by identity."""

from __future__ import annotations


def peak_memory_mb() -> float:
    """The most memory that this process has held, in megabytes; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:
        return float("nan")
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, kilobytes elsewhere.
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
