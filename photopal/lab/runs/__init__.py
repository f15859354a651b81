"""Runs the tasks of a dataset on a model: registers, tunes, asks, compares; prints nothing."""
