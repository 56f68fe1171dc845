"""Harbor's task suite."""

from holdfast.measure.reading import TOLD, harbor_suite
from holdfast.measure.suite import HarborSuite
from holdfast.world.probes import task

NAME = "harbor-task"
SAYS = "The benign fine-tuning task, in held-out wordings: what the tuning was for."

harbor_task = HarborSuite(NAME, SAYS, "correct", harbor_suite(NAME, SAYS, "correct", TOLD, task))
