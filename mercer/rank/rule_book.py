"""A shop's rules.toml in, and changes to it; the rules that the next search goes by out, without a restart."""

from __future__ import annotations

import os
import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from mercer.errors import MercerError, NotFoundError, RequestError
from mercer.rank.rule import Rule, RuleSettings
from mercer.rank.rule_read import read_rules, read_zone
from mercer.rank.rule_when import Asked, Reading
from mercer.rank.rules import Rules, Ruling
from mercer.shop import Shop
from mercer.shop.disk import content_hash, disk_errors, write_text

__all__ = ["RuleBook", "plain"]

HEAD = "# What search and recommendation are told to do. Look at it with: mercer rules SHOP, mercer rules SHOP check\n"
Row = Mapping[str, Any]


def plain(text: str) -> str:
    """Small letters and single blanks: the reading where nothing better is given."""
    return " ".join(text.casefold().split())


class RuleBook:
    """One shop's rules. A file that cannot be read leaves the rules before it in force, and says so in `fault`.

    Safe to call from several threads; of several processes one writes at a time.
    """

    def __init__(
        self,
        shop: Shop,
        *,
        reading: Reading | None = None,
        settings: RuleSettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.shop, self.path = shop, shop.folder / "rules.toml"
        self.reading = reading or Reading(plain, str)
        self.settings = settings or RuleSettings()
        self.fault = ""
        self.zone: ZoneInfo | None = None
        self._clock, self._writing = clock, threading.Lock()
        self._rules, self._seen = Rules(), (0, 0, 0)

    def now(self) -> int:
        """UTC milliseconds."""
        return int(self._clock() * 1000)

    def __call__(self, asked: Asked) -> Ruling:
        """What holds for a request now."""
        return self.rules(asked, self.now())

    @property
    def rules(self) -> Rules:
        """Those of the file as it is; those before where it cannot be read."""
        seen = self._state()
        if seen != self._seen:
            try:
                rules, self.zone = self.read(self._text())
                self._rules, self.fault = rules, ""
            except MercerError as error:
                self.fault = error.problem
            self._seen = seen
        return self._rules

    def checked(self) -> RuleBook:
        """Itself.

        Raises:
            RequestError: the file cannot be read, and no rules before it are known.
        """
        if not self.rules.version and self.fault:
            raise RequestError(
                f"rules.toml cannot be read: {self.fault}",
                cure=f"mend {self.path.name}, then look: mercer rules SHOP check",
            )
        return self

    def read(self, text: str) -> tuple[Rules, ZoneInfo | None]:
        """A whole file's rules, and its time zone.

        Raises:
            RequestError: no TOML, or a rule that cannot be.
        """
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RequestError(f"rules.toml is no TOML: {error}", cure="mend that line") from error
        if unknown := sorted(set(data) - {"timezone", "rule"}):
            raise RequestError(f"rules.toml has {unknown[0]!r}", cure="it has timezone and [[rule]] tables, no more")
        rows = data.get("rule", [])
        if not isinstance(rows, list):
            raise RequestError("rules.toml has one [rule]", cure="write [[rule]]: there may be several")
        zone = read_zone(data.get("timezone", ""))
        rules = read_rules(rows, zone=zone, settings=self.settings)
        return Rules.ready(rules, self.reading, version=content_hash(text)), zone

    def drafted(self, rows: Sequence[object], *, keep: bool = True) -> tuple[Rule, ...]:
        """The rules as they would be with `rows`: added, or in the place of those of their ids, or instead of all.

        Raises:
            RequestError: a row that cannot be; nothing was changed.
        """
        before = self.rules.rules if keep else ()
        new = read_rules(rows, zone=self.zone, settings=self.settings, places=[f"rules[{n}]" for n in range(len(rows))])
        changed = {rule.id: rule for rule in (*before, *new)}
        if len(changed) > self.settings.most:
            raise RequestError(f"there would be {len(changed)} rules", cure=f"have at most {self.settings.most}")
        Rules.ready(new, self.reading)
        return tuple(changed.values())

    def put(self, rows: Sequence[object]) -> None:
        """Add rules, or replace those of the same ids; all or none, on the disk when it returns.

        Raises:
            RequestError: a row that cannot be, or a file that somebody broke.
        """
        with self._writing, self.shop.lock("rules"):
            self.drafted(rows)
            self._write(lambda held: {**held, **{str(row["id"]): row for row in rows if isinstance(row, Mapping)}})

    def replace(self, rows: Sequence[object], *, version: str = "") -> None:
        """Have just these rules; `version`, where given, is the one that the caller has seen.

        Raises:
            RequestError: a row that cannot be, or somebody changed the rules meanwhile.
        """
        with self._writing, self.shop.lock("rules"):
            if version and version != self.rules.version:
                cure = "read them again, and send your change with the version that they have now"
                raise RequestError(f"the rules are at version {self.rules.version!r}, not {version[:32]!r}", cure=cure)
            self.drafted(rows, keep=False)
            self._write(lambda _: {str(row["id"]): row for row in rows if isinstance(row, Mapping)})

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Take rules out; their ids come back.

        Raises:
            NotFoundError: one is not there; nothing was changed.
        """
        with self._writing, self.shop.lock("rules"):
            there, wanted = {rule.id for rule in self.rules.rules}, list(dict.fromkeys(ids))
            for id in wanted:
                if id not in there:
                    known = ", ".join(sorted(there)[:20]) or "none"
                    raise NotFoundError(f"there is no rule {id!r:.80}", cure=f"known: {known}")
            self._write(lambda held: {id: row for id, row in held.items() if id not in wanted})
            return wanted

    def _write(self, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
        """Change the file, its comments and the rules that stay as they were; under both locks."""
        import tomlkit

        if self.fault:
            raise RequestError(
                f"rules.toml cannot be read: {self.fault}", cure="mend the file first: mercer rules SHOP check"
            )
        document = tomlkit.parse(self._text() or HEAD)
        held = {str(row["id"]): row for row in document.get("rule", [])}
        wanted, tables = change(held), tomlkit.aot()
        for row in wanted.values():
            tables.append(row if isinstance(row, tomlkit.items.Table) else _table(row))
        document.pop("rule", None)
        if len(tables):
            document.append("rule", tables)
        text = tomlkit.dumps(document)
        self.read(text)  # what is written can be read
        new = [id for id, row in wanted.items() if row is not held.get(id)]
        gone = [id for id in held if id not in wanted]
        self.shop.audit.append("change rules", {"written": new, "removed": gone, "version": content_hash(text)})
        with disk_errors(self.path):
            write_text(self.path, text)

    def _text(self) -> str:
        try:
            return self.path.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise RequestError(
                f"rules.toml cannot be read: {error}", cure="make it a UTF-8 file you may read"
            ) from error

    def _state(self) -> tuple[int, int, int]:
        """Changes when the file does."""
        try:
            known = os.stat(self.path)
        except OSError:
            return (0, 0, 0)
        return (known.st_mtime_ns, known.st_size, known.st_ino)


def _table(row: Row) -> Any:
    """A new [[rule]], what is None left out."""
    import tomlkit

    table = tomlkit.table()
    for name, value in row.items():
        if value is not None:
            table.add(name, _given(value))
    return table


def _given(value: Any) -> Any:
    """A value as TOML can have it: tables in lists stay in their line, and nothing is null."""
    import tomlkit

    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        inline.update({name: _given(one) for name, one in value.items() if one is not None})
        return inline
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        for one in value:
            array.append(_given(one))
        return array
    return value
