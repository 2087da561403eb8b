"""Both arms at once: the same answers, errors that reach the caller, and a child process that still searches."""

from __future__ import annotations

import multiprocessing
import threading
import warnings

import pytest

from mercer.search.beside import THREADS, beside


def test_it_runs_elsewhere_and_gives_the_answer() -> None:
    assert beside(threading.get_ident)() != threading.get_ident()
    begun = [beside(lambda number=number: number**2) for number in range(3 * THREADS)]
    assert [one() for one in begun] == [number**2 for number in range(3 * THREADS)]


def test_what_it_raises_is_raised_where_the_answer_is_wanted() -> None:
    def fails() -> None:
        raise KeyError("gone")

    wanted = beside(fails)
    with pytest.raises(KeyError, match="gone"):
        wanted()


def test_it_waits_for_nobody_who_does_not_ask() -> None:
    go = threading.Event()
    wanted = beside(lambda: go.wait(30))
    go.set()  # reached at once, though the other thread waits
    assert wanted()


def ask(answers: multiprocessing.SimpleQueue) -> None:
    answers.put(beside(lambda: 42)())


def test_a_forked_child_has_threads_of_its_own() -> None:
    beside(lambda: None)()
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()
    child = fork.Process(target=ask, args=(answers,), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of any fork beside threads
        child.start()
    child.join(30)
    assert child.exitcode == 0
    assert answers.get() == 42
