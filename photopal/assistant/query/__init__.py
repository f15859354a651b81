"""Questions about the whole library: what they ask for, and answers from what the library knows; no torch."""
