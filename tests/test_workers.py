"""Workers: results in order wherever the work is done, no more under way than there is room for, and no spare work."""

from collections.abc import Iterator
from threading import Event

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from holdfast.workers import Here, Threads, Workers


def times(shared: int, part: int) -> int:
    return shared * part


@pytest.mark.parametrize("workers", [Here(), Threads(1), Threads(3)])
@pytest.mark.parametrize("parts", [0, 1, 5, 40])
def test_results_come_in_the_order_of_the_parts(workers: Workers, parts: int) -> None:
    assert list(workers.map(times, 7, range(parts))) == [7 * part for part in range(parts)]


def test_parts_are_taken_as_results_are() -> None:
    taken: list[int] = []

    def parts() -> Iterator[int]:
        for part in range(100):
            taken.append(part)
            yield part

    results = Threads(2).map(times, 1, parts())
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert len(taken) <= 3 + 2 * 2
    results.close()  # type: ignore[attr-defined]
    assert len(taken) <= 3 + 2 * 2


def test_what_has_not_begun_is_not_done_for_a_reader_who_left() -> None:
    done: list[int] = []
    gate = Event()

    def wait(_: None, part: int) -> int:
        if part:
            gate.wait(5)
        done.append(part)
        return part

    results = Threads(1).map(wait, None, range(10))
    assert next(results) == 0
    gate.set()
    results.close()  # type: ignore[attr-defined]
    assert len(done) <= 3


def test_a_fault_reaches_the_reader() -> None:
    def divide(shared: int, part: int) -> float:
        return shared / part

    with pytest.raises(ZeroDivisionError):
        list(Threads(2).map(divide, 1, [2, 1, 0, 3]))


def blas_threads(_: None, part: int) -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_a_thread_has_one_thread_of_blas_and_gives_the_others_back() -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    before = blas_threads(None, 0)
    assert before
    for counts in Threads(2).map(blas_threads, None, range(4)):
        assert set(counts) == {1}
    assert blas_threads(None, 0) == before
