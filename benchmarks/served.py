"""A shop in; `mercer serve` as a process that is ready, to ask over HTTP and to kill, out."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

__all__ = ["Server"]


class Server:
    """`mercer serve` as a process, from its start until it is killed."""

    def __init__(self, shop: Path) -> None:
        command = [sys.executable, "-m", "mercer", "serve", str(shop), "--port", "0"]
        began = time.monotonic()
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "300", "OMP_NUM_THREADS": "1"}
        )
        said = ""
        assert self.process.stderr is not None
        while "Ctrl-C" not in said:
            line = self.process.stderr.readline()
            if not line:
                raise SystemExit(f"the server did not start: {said}")
            said += line
        self.url = re.findall(r"http://localhost:\d+", said)[0]
        self._said: list[str] = []
        self._draining = threading.Thread(target=self._drain, daemon=True)
        self._draining.start()
        while True:
            with contextlib.suppress(OSError):
                if self("GET", "/ready")[0] == 200:
                    break
            time.sleep(0.01)
        self.ready, self.work = time.monotonic() - began, self.spent()
        """Seconds to the first answer of /ready, by the clock and of processors."""

    def spent(self) -> float:
        """Seconds of processor time that it has used."""
        times = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._draining.join()

    def _drain(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self._said.append(line)

    def said(self) -> str:
        """What it wrote to standard error since it was ready."""
        return "".join(self._said)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"} if data else {}, method=method
        )
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
