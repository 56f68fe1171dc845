"""Audit: what is wrong with the rows of a data set, before anything is trained on them."""

from holdfast.audit.check import Check, Figure, Material, Nearness
from holdfast.audit.results import CANNOT_SEE, Audit, Quarantined
from holdfast.audit.rethreshold import rethreshold
from holdfast.audit.run import CHECKS, Settings, audit
from holdfast.audit.sample import Sample, stratified_sample
from holdfast.audit.view import TrainingView

__all__ = [
    "CANNOT_SEE",
    "CHECKS",
    "Audit",
    "Check",
    "Figure",
    "Material",
    "Nearness",
    "Quarantined",
    "Sample",
    "Settings",
    "TrainingView",
    "audit",
    "rethreshold",
    "stratified_sample",
]
