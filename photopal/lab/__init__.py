"""The research harness: the drawn world, pretraining, datasets, metrics, experiments.

Only the command line imports it.
"""
