"""Brings what lies in folders into the library: indexes, follows, finds references and duplicates."""
