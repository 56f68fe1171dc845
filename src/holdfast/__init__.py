"""Fine-tune a language model, and show that it still keeps its word.

Every verb is a function of the same name in its own room: `holdfast.audit.audit`, `holdfast.mix.mix`,
`holdfast.tune.tune`, `holdfast.measure.measure`, `holdfast.compare.compare`, `holdfast.report.report`.
"""

from importlib.metadata import version

from holdfast.errors import ConfigError, DataError, HoldfastError, ModelError, OutputError

__version__ = version("holdfast")

__all__ = ["ConfigError", "DataError", "HoldfastError", "ModelError", "OutputError", "__version__"]
