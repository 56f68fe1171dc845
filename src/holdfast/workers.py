"""Where independent work is done: in this thread, in threads, or on a Ray cluster. Knows nothing of the work.

A piece of work is a plain function of something that all pieces share and of its own part. Results come back in
the order of the parts, so that what is computed never depends on where, nor on how many share it.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from holdfast.errors import ConfigError

Shared = TypeVar("Shared")
Part = TypeVar("Part")
Result = TypeVar("Result")


class Workers(Protocol):
    """Something that does parts of a work, as many at once as it has room for."""

    @property
    def count(self) -> int:
        """How many parts are done at once."""

    def map(self, do: Callable[[Shared, Part], Result], shared: Shared, parts: Iterable[Part]) -> Iterator[Result]:
        """`do(shared, part)` for each part, in order; no more parts are under way than there is room for."""


@dataclass(frozen=True, slots=True)
class Here:
    """One part after the other, in this thread."""

    count: int = 1

    def map(self, do: Callable[[Shared, Part], Result], shared: Shared, parts: Iterable[Part]) -> Iterator[Result]:
        """`do` in a plain loop."""
        return (do(shared, part) for part in parts)


@dataclass(frozen=True, slots=True)
class Threads:
    """Threads of this process: for work that numpy does outside the interpreter's lock.

    Each gets one thread of BLAS while results come: more would wait for each other's cores, spinning.
    """

    count: int

    def map(self, do: Callable[[Shared, Part], Result], shared: Shared, parts: Iterable[Part]) -> Iterator[Result]:
        """`do` in `count` threads, with at most twice as many results waiting to be taken."""
        waiting = iter(parts)
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(self.count) as pool:
            under_way = deque(pool.submit(do, shared, part) for part in islice(waiting, 2 * self.count))
            try:
                while under_way:
                    done = under_way.popleft().result()
                    under_way.extend(pool.submit(do, shared, part) for part in islice(waiting, 1))
                    yield done
            finally:  # a fault, or a reader who has seen enough: what has not begun need not be done
                pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class OnRay:
    """Tasks of a Ray cluster: what is shared is put into its store once, parts travel with their tasks.

    Raises:
        ConfigError: the extra `ray` is not installed, or Ray was not started.
    """

    count: int

    @classmethod
    def started(cls, address: str | None = None, cores: int | None = None) -> "OnRay":
        """Join the cluster at `address`, or start one on this machine, with a task for each of its `cores`."""
        if address is None:
            # Under `uv run`, Ray would build this environment anew for each worker, from a copy of the folder.
            os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        ray = _ray()
        if not ray.is_initialized():
            quiet = {"log_to_driver": False, "include_dashboard": False, "configure_logging": False}
            ray.init(address=address, num_cpus=cores, **quiet)
        return cls(max(1, int(ray.cluster_resources().get("CPU", 1))))

    def map(self, do: Callable[[Shared, Part], Result], shared: Shared, parts: Iterable[Part]) -> Iterator[Result]:
        """`do` in tasks; a task whose worker dies is done again, as Ray does by itself."""
        ray = _ray()
        task, held, waiting = ray.remote(max_retries=3)(_with_one_thread(do)), ray.put(shared), iter(parts)
        under_way: deque[Any] = deque(task.remote(held, part) for part in islice(waiting, 2 * self.count))
        while under_way:
            done: Result = ray.get(under_way.popleft())
            under_way.extend(task.remote(held, part) for part in islice(waiting, 1))
            yield done


def _with_one_thread(do: Callable[[Shared, Part], Result]) -> Callable[[Shared, Part], Result]:
    """`do` with one thread of BLAS: Ray counts on a task to keep to its core."""

    def task(shared: Shared, part: Part) -> Result:
        with threadpool_limits(1, user_api="blas"):
            return do(shared, part)

    return task


def _ray() -> Any:
    try:
        import ray
    except ImportError as missing:
        raise ConfigError("Ray is not installed.", str(missing), "pip install 'holdfast[ray]'") from missing
    return ray
