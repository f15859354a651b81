"""Figures from answers and truths, as the authors define them and honestly; runs no model."""
