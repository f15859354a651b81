"""Datasets of personalised questions in one form, read from the layouts of the papers; runs no model."""

from photopal.lab.datasets.form import (
    Dataset,
    DatasetConcept,
    DatasetPhoto,
    Place,
    Question,
    Scenario,
)
from photopal.lab.datasets.load import load_dataset

__all__ = [
    "Dataset",
    "DatasetConcept",
    "DatasetPhoto",
    "Place",
    "Question",
    "Scenario",
    "load_dataset",
]
