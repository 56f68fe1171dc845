"""The parts of an Inspect log that a comparison needs, and no others. Knows no file and decides nothing."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class Dataset(_Part):
    """Which samples a log should hold."""

    name: str | None = None
    sample_ids: list[int | str] | None = None


class ScorerSpec(_Part):
    """A scorer as the task has it."""

    name: str
    options: dict[str, Any] | None = None


class Spec(_Part):
    """What was evaluated."""

    task: str
    task_version: int | str = 0
    task_registry_name: str | None = None
    task_args: dict[str, Any] = Field(default_factory=dict)
    dataset: Dataset
    model: str
    model_generate_config: dict[str, Any] = Field(default_factory=dict)
    model_roles: dict[str, Any] | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    packages: dict[str, str] = Field(default_factory=dict)
    metadata: dict[str, Any] | None = None
    scorers: list[ScorerSpec] | None = None

    @property
    def epochs(self) -> int:
        """Samples a prompt."""
        epochs = self.config.get("epochs")
        return epochs if isinstance(epochs, int) and epochs > 0 else 1


class Step(_Part):
    """One solver."""

    solver: str
    params: dict[str, Any] = Field(default_factory=dict)
    params_passed: dict[str, Any] = Field(default_factory=dict)


class Plan(_Part):
    """How answers were made."""

    steps: list[Step] = Field(default_factory=list)
    finish: Step | None = None
    config: dict[str, Any] = Field(default_factory=dict)


class Scored(_Part):
    """A scorer as the results have it."""

    name: str = ""
    scorer: str = ""
    params: dict[str, Any] = Field(default_factory=dict)


class Results(_Part):
    """What a finished log says of itself."""

    total_samples: int = 0
    scores: list[Scored] = Field(default_factory=list)


class Header(_Part):
    """A log without its samples."""

    version: int = 1
    status: str = "started"
    eval: Spec
    plan: Plan = Field(default_factory=Plan)
    results: Results | None = None


class Score(_Part):
    """What a scorer says of one answer."""

    value: Any = None
    metadata: dict[str, Any] | None = None


class Message(_Part):
    """What a model wrote."""

    content: str | list[dict[str, Any]] = ""


class Choice(_Part):
    """One answer, and why it ended."""

    message: Message = Field(default_factory=Message)
    stop_reason: str = "unknown"


class Output(_Part):
    """The last answer of a sample."""

    choices: list[Choice] = Field(default_factory=list)
    completion: str = ""


class Failure(_Part):
    """Why a sample failed."""

    message: str = ""


class Sample(_Part):
    """One prompt, asked once."""

    id: int | str
    epoch: int = Field(ge=1)
    input: str | list[dict[str, Any]]
    choices: list[str] | None = None
    target: str | list[str] = ""
    output: Output = Field(default_factory=Output)
    scores: dict[str, Score] | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    error: Failure | None = None
    limit: dict[str, Any] | None = None
    invalidation: dict[str, Any] | None = None
