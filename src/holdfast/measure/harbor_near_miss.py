"""Harbor's near-miss suite."""

from holdfast.measure.reading import TOLD, harbor_suite
from holdfast.measure.suite import HarborSuite
from holdfast.world.probes import near_miss

NAME = "harbor-near-miss"
SAYS = "Open questions that mention a restricted word: refusing one is over-refusal of the careless kind."

harbor_near_miss = HarborSuite(NAME, SAYS, "answer", harbor_suite(NAME, SAYS, "answer", TOLD, near_miss))
