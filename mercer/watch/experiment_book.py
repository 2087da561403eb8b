"""A shop in; its experiments, kept in the shop, read again when they change, started and stopped, out."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mercer.errors import NotFoundError, RequestError, ShopError
from mercer.shop import Shop, disk_errors, write_json
from mercer.watch.experiment import Arm, Experiment, read

__all__ = ["ExperimentBook"]


class ExperimentBook:
    """The experiments of one shop, in ``store/experiments.json``. Safe to use from many threads.

    >>> import tempfile
    >>> from pathlib import Path
    >>> book = ExperimentBook(Shop.create(Path(tempfile.mkdtemp()) / "shop"))
    >>> arms = [{"name": "with"}, {"name": "without", "settings": {"rank.ranker": "off"}}]
    >>> started = book.start({"id": "trees", "arms": arms})
    >>> book.of("search", "ann")[1].name in ("with", "without"), book.stop("trees").state, book.of("search", "ann")
    (True, 'stopped', None)
    """

    def __init__(self, shop: Shop, *, clock: Callable[[], float] = time.time) -> None:
        self.shop, self._clock = shop, clock
        self.path = shop.store / "experiments.json"
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int], list[Experiment]] = ((0, -1), [])

    def all(self) -> list[Experiment]:
        """Every experiment, running ones first, the newest before.

        Raises:
            ShopError: the file is damaged.
        """
        with self._lock:
            try:
                state = self.path.stat()
            except FileNotFoundError:
                return []
            mark = (state.st_mtime_ns, state.st_ino)
            if self._read[0] != mark:
                self._read = (mark, self._parsed())
            return list(self._read[1])

    def one(self, id: str) -> Experiment:
        """The experiment of that id.

        Raises:
            NotFoundError: there is none.
        """
        found = {each.id: each for each in self.all()}
        if id not in found:
            raise NotFoundError(f"there is no experiment {id!r:.80}", cure=f"known: {', '.join(found) or 'none'}")
        return found[id]

    def of(self, scene: str, shopper: str) -> tuple[Experiment, Arm] | None:
        """The running experiment of a scene, and the arm of a shopper; None where there is none for them."""
        for each in self.all():
            if each.state == "running" and scene in each.scenes:
                arm = each.assign(shopper)
                return (each, arm) if arm else None
        return None

    def start(self, row: Mapping[str, Any]) -> Experiment:
        """Begin an experiment, as `experiment.read` takes it.

        Raises:
            RequestError: it cannot be, its id is taken, or another runs in one of its scenes.
        """
        if given := sorted({"state", "started", "ended"} & set(row)):
            raise RequestError(f"{given[0]} cannot be given", cure="leave it out: it is set when it starts")
        new = replace(read(row), started=self._now())
        if any(arm.stopped for arm in new.arms):
            raise RequestError("an arm is stopped before it starts", cure="leave stopped out")

        def change(known: list[Experiment]) -> list[Experiment]:
            if any(each.id == new.id for each in known):
                raise RequestError(f"experiment {new.id!r} has been there", cure="give another id: its log is kept")
            for each in known:
                if each.state == "running" and (both := set(each.scenes) & set(new.scenes)):
                    said = f"{each.id} runs in {', '.join(sorted(both))}"
                    raise RequestError(said, cure=f"stop it first: mercer experiment SHOP stop {each.id}")
            return [new, *known]

        self._change(change, "start experiment", {"experiment": new.id, "arms": list(new.names)})
        return new

    def stop(self, id: str) -> Experiment:
        """End an experiment: everybody gets the shop's own answers from the next request on.

        Raises:
            NotFoundError: there is none of that id.
        """
        done = replace(self.one(id), state="stopped", ended=self.one(id).ended or self._now())
        self._put(done, "stop experiment", {"experiment": id})
        return done

    def stop_arm(self, id: str, arm: str, why: str) -> Experiment:
        """Give an arm's shoppers the first arm's answers; with one arm left the experiment ends.

        Raises:
            NotFoundError: no such experiment. RequestError: no such arm, or the first one.
        """
        before = self.one(id)
        if before.arm(arm) is before.arms[0]:
            raise RequestError(f"{arm} is what the others are held against", cure=f"stop {id} itself")
        arms = tuple(replace(each, stopped=why[:500]) if each.name == arm else each for each in before.arms)
        done = replace(before, arms=arms)
        if all(each.stopped for each in arms[1:]):
            done = replace(done, state="stopped", ended=self._now())
        self._put(done, "stop arm", {"experiment": id, "arm": arm, "why": why[:500]})
        return done

    def _put(self, done: Experiment, act: str, about: Mapping[str, Any]) -> None:
        self._change(lambda known: [done if each.id == done.id else each for each in known], act, about)

    def _change(
        self, change: Callable[[list[Experiment]], Sequence[Experiment]], act: str, about: Mapping[str, Any]
    ) -> None:
        with self.shop.lock("experiments"):
            found = sorted(change(self.all()), key=lambda each: (each.state != "running", -each.started))
            self.shop.audit.append(act, about)
            with disk_errors(self.path):
                write_json(self.path, {"experiments": [each.row() for each in found]})

    def _parsed(self) -> list[Experiment]:
        try:
            return [read(row) for row in json.loads(self.path.read_text("utf-8"))["experiments"]]
        except OSError as error:
            cure = "make it a file that the server may read"
            raise ShopError(f"{self.path} cannot be read: {error.strerror}", cure=cure) from error
        except (ValueError, TypeError, KeyError, AttributeError, RequestError) as error:
            raise ShopError(f"{self.path} is damaged: {error}", cure="mend or remove it; the log keeps arms") from error

    def _now(self) -> int:
        return int(self._clock() * 1000)
