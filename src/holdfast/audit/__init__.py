"""Audit: what is wrong with the rows of a data set, before anything is trained on them."""

from holdfast.audit.check import Check, Material
from holdfast.audit.results import CANNOT_SEE, Audit, Quarantined
from holdfast.audit.run import CHECKS, audit

__all__ = ["CANNOT_SEE", "CHECKS", "Audit", "Check", "Material", "Quarantined", "audit"]
