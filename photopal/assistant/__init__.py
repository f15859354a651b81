"""Captions, searches and answers; this file imports nothing, so that a search does not wait for torch."""
