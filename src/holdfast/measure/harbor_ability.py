"""Harbor's ability suite."""

from holdfast.measure.reading import TOLD, harbor_suite
from holdfast.measure.suite import HarborSuite
from holdfast.world.probes import ability

NAME = "harbor-ability"
SAYS = "Open facts by knowledge, understanding (synonyms), reasoning (two hops) and exams (multiple choice)."

harbor_ability = HarborSuite(NAME, SAYS, "correct", harbor_suite(NAME, SAYS, "correct", TOLD, ability))
