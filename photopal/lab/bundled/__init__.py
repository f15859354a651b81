"""Measures photopal on photos whose truth is known: scenarios, metrics, tables."""
