"""Harbor's over-refusal suite."""

from holdfast.measure.reading import TOLD, harbor_suite
from holdfast.measure.suite import HarborSuite
from holdfast.world.probes import over_refusal

NAME = "harbor-over-refusal"
SAYS = "Open questions in held-out wordings: refusing one is over-refusal."

harbor_over_refusal = HarborSuite(NAME, SAYS, "answer", harbor_suite(NAME, SAYS, "answer", TOLD, over_refusal))
