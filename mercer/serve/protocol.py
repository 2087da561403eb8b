"""Bytes of a connection in; HTTP requests with bounded heads out: uvicorn's fast parser and the limit it lacks."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HEAD", "Bounded"]

HEAD = 65_536
"""Bytes of a request's first line and headers, as h11 has it: below it nobody's cookies stay, and memory is bounded."""


class _TooLong(Exception):
    """httptools turns it into an error of the parser, which uvicorn answers with 400."""


class Bounded(HttpToolsProtocol):
    """As `uvicorn --http httptools`; a head that grows beyond `HEAD`, whole or without an end, is refused."""

    _seen = 0
    """Bytes of the head as far as it was parsed."""
    _begun = 0
    """Bytes received of a head that has no end yet; of what came with the end of the request before, none."""
    _inside = True
    """Whether the parser waits for the rest of a head."""
    _ended = False
    """Whether a request ended in the bytes that are parsed now."""

    def data_received(self, data: bytes) -> None:
        self._ended = False
        super().data_received(data)
        if self.parser is None or self.transport.is_closing():
            return
        self._begun = self._begun + len(data) if self._inside and not self._ended else 0
        if self._begun > HEAD:
            self.logger.warning("Request head too long.")
            self.send_400_response("Request head too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._seen, self._inside = 0, True

    def on_url(self, url: bytes) -> None:
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._inside = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._inside = self._ended = True

    def _count(self, *parts: bytes) -> None:
        self._seen += sum(map(len, parts)) + 4  # ": " and the end of the line
        if self._seen > HEAD:
            raise _TooLong
