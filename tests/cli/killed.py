"""A shop and moments in; `mercer learn` killed at each of them and started again; exit codes and what was live out.

One process imports what is heavy and forks for each run, so that a run costs only what it does.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any

import peft
import torch
import transformers

import mercer.cli
from mercer.shop import Shop

assert peft
assert transformers


def deadly(moment: str) -> None:
    """Let the call of a function, named as module:name:number, be the last thing that this process does."""
    module, path, number = moment.split(":")
    owner: Any = importlib.import_module(module)
    *inner, name = path.split(".")
    for part in inner:
        owner = getattr(owner, part)
    really, left = getattr(owner, name), [int(number)]

    def dies(*given: Any, **named: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return really(*given, **named)

    setattr(owner, name, dies)


def run(shop: str, moment: str) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if moment:
        deadly(moment)
    sys.argv = ["mercer", "learn", shop, "--override", "a test", "--json"]
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    mercer.cli.main()
    raise AssertionError("main exits")


if __name__ == "__main__":
    torch.set_num_threads(1)
    shop, *moments = sys.argv[1:]
    for moment in [*moments, ""]:
        code = run(shop, moment)
        print(code, Shop(shop).live("index").version, flush=True)
