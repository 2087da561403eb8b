"""How torchrun started this process in; what the first of several processes says, and one end for all, out."""

from __future__ import annotations

import atexit
import contextlib
import datetime
import functools
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mercer.errors import MercerError, ModelError

__all__ = ["agreed", "first", "follow", "hand", "leading", "world"]

WAIT = datetime.timedelta(days=7)
"""That the others wait for the first, which mines, ranks and builds alone; torchrun ends them where it died."""
STALL = datetime.timedelta(minutes=30)
"""That an exchange of gradients may take; longer means that another process is stuck."""
GOODBYE = datetime.timedelta(seconds=10)
"""That the first waits for the others to have heard of the end, and they, where it failed, for it to have said why."""


def world() -> int:
    """Processes that train together: what torchrun was told, else 1."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def first() -> bool:
    """Whether this is the one that prints, writes and decides."""
    return world() == 1 or int(os.environ["RANK"]) == 0


def agreed(number: Callable[[], float]) -> float:
    """The first process's number, on every process; the others do not work it out."""
    if world() == 1:
        return number()
    key = f"said/{next(_said)}"
    if first():
        _store().set(key, repr(float(number())))
    return float(_store().get(key))


@contextlib.contextmanager
def leading() -> Iterator[None]:
    """What the first process does; at its end the others, which `follow`, end with the same exit code.

    Raises:
        ModelError: another process failed.
    """
    if world() == 1:
        yield
        return
    code = 1
    try:
        yield
        code = 0
    except MercerError as error:
        code = error.exit_code
        raise
    except RuntimeError as error:  # an exchange with a process that is no more; what it told says more
        if not _store().check(["failed"]):
            raise
        told = _store().get("failed").decode()
        code = ModelError.exit_code
        raise ModelError(f"another process of this run failed: {told}", cure="see what it said") from error
    finally:
        _end(code)


def hand(job: Mapping[str, Any]) -> None:
    """Tell the others, who `follow`, what to take part in."""
    if world() > 1:
        _store().set(f"job/{next(_jobs)}", json.dumps(job))


def follow(run: Callable[[Mapping[str, Any]], None]) -> int:
    """Take part in what the first process hands over, until it ends; its exit code comes back."""
    store = _store()
    for number in itertools.count():
        job = json.loads(store.get(f"job/{number}"))
        if "end" not in job:
            try:
                run(job)
                continue
            except Exception as error:
                if not isinstance(error, RuntimeError) or not store.check([f"job/{number + 1}"]):
                    store.set("failed", f"process {os.environ['RANK']}: {error}")
                    raise
                job = json.loads(store.get(f"job/{number + 1}"))  # the first failed, and has said why
        _close()
        store.set(f"gone/{os.environ['RANK']}", "")
        if job["end"]:
            _wait("left")
            time.sleep(1.0)  # torchrun ends all when one fails: the first is to be the first
        return int(job["end"])
    raise AssertionError("unreachable")


_said = itertools.count()
_jobs = itertools.count()


def _end(code: int) -> None:
    """Close the connections: one that waits for gradients hears of the end by that."""
    hand({"end": code})
    _close()
    if code:
        atexit.register(lambda: _store().set("left", ""))
    else:
        _wait(*(f"gone/{rank}" for rank in range(1, world())))


def _wait(*keys: str) -> None:
    with contextlib.suppress(RuntimeError):  # a process that is gone cannot say so; torchrun reports it
        _store().wait(list(keys), GOODBYE)


def _close() -> None:
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()


@functools.cache
def _store() -> Any:
    """Where the processes leave each other words; opening it lets them meet for the exchange of gradients too."""
    import torch

    distributed: Any = torch.distributed
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    store, rank, size = next(distributed.rendezvous("env://", timeout=STALL))
    if not distributed.is_initialized():
        meeting = distributed.PrefixStore("group", store)
        backend = "nccl" if gpu else "gloo"
        distributed.init_process_group(backend, store=meeting, rank=rank, world_size=size, timeout=STALL)
    words = distributed.PrefixStore("mercer", store)
    words.set_timeout(WAIT)
    return words
