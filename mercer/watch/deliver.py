"""A change of an alarm in; one line in the shop's alarm log, and a signed POST to the owner's webhook, out."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict
from http.client import HTTPException
from pathlib import Path
from typing import Any

from mercer.errors import ShopError
from mercer.shop import disk_errors
from mercer.watch.alarm import Change, Held
from mercer.watch.settings import WatchSettings

__all__ = ["SECRET", "SIGNATURE", "Delivery", "signature"]

SECRET = "MERCER_WEBHOOK_SECRET"  # noqa: S105  # the name of the variable, not what is in it
SIGNATURE = "X-Mercer-Signature"
"""``t=SECONDS,v1=HEX``: HMAC-SHA256 of ``SECONDS.BODY`` with the secret, as Stripe and others sign theirs."""
TIMEOUT = 10.0
"""Seconds that a webhook has to answer."""
AGAIN = (408, 425, 429)
"""Refusals of a webhook that are worth another try, beside all above 499."""


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The header that proves who sent a body, and when.

    >>> signature("s", b"{}", at=1)[:9]
    't=1,v1=b2'
    """
    told = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={told}"


class Delivery:
    """Tells of alarms: always in ``store/alarms/alarms.jsonl``, and over HTTP where the owner named an address."""

    def __init__(
        self, folder: Path, settings: WatchSettings, *, secret: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self.path, self.settings, self._sleep = folder / "alarms.jsonl", settings, sleep
        self._secret = os.environ.get(SECRET, "") if secret is None else secret
        self.failed: list[str] = []
        """What could not be delivered, and why."""

    def __call__(self, name: str, change: Change, held: Held) -> None:
        """Write and send; a webhook that does not answer is no reason to stop watching: see `failed`."""
        told = {"rule": name, "change": change, "alarm": asdict(held.alarm), "window": held.window}
        outcome = (
            self._send(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()) if self.settings.webhook else ""
        )
        if outcome:
            self.failed.append(f"{name}: {outcome}")
        self._log(
            {**told, "at": int(time.time() * 1000), "webhook": outcome or ("sent" if self.settings.webhook else "")}
        )

    def _log(self, told: dict[str, Any]) -> None:
        with disk_errors(self.path), open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(told, ensure_ascii=False, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _send(self, body: bytes) -> str:
        """ "" once it is taken, else why it was not."""
        fault = ""
        for turn in range(self.settings.tries):
            if turn:
                self._sleep(self.settings.pause * 2 ** (turn - 1))
            try:
                self._post(body)
            except urllib.error.HTTPError as error:
                error.close()
                fault = f"the webhook answers {error.code}"
                if error.code < 500 and error.code not in AGAIN:
                    break
            except (OSError, HTTPException) as error:
                fault = f"the webhook cannot be reached: {getattr(error, 'reason', error)}"
            else:
                return ""
        return fault

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": "mercer"}
        if self._secret:
            headers[SIGNATURE] = signature(self._secret, body, at=int(time.time()))
        if not self.settings.webhook.startswith(("http://", "https://")):
            raise ShopError(f"webhook {self.settings.webhook[:80]!r} is no address", cure="give http:// or https://")
        request = urllib.request.Request(self.settings.webhook, body, headers, method="POST")  # noqa: S310  # checked above
        with OPENER.open(request, timeout=TIMEOUT) as answer:
            answer.read(1024)


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect would turn a signed POST into a GET elsewhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


OPENER = urllib.request.build_opener(_Stay)
