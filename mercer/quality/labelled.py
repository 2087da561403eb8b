"""Judgments that people made after the fact in; what of them is new, known or at odds, and the merged table, out."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mercer.errors import ShopError
from mercer.quality.read import Raw
from mercer.shop import content_hash, disk_errors
from mercer.shop.disk import write_text

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Labels", "Sorted"]

KEYS = {"judgments": ("query_id", "product"), "texts": ("text",)}
"""What names a thing that is judged."""
SAID = {"judgments": "grade", "texts": "label"}
"""What is said of it."""
Row = dict[str, Any]


@dataclass(slots=True)
class Sorted:
    """Rows of a file by what is to become of them."""

    new: list[Row] = field(default_factory=list)
    same: list[Row] = field(default_factory=list)
    """Said before, and the same."""
    conflicts: list[Row] = field(default_factory=list)
    """Said before, and otherwise; ``before`` is what."""
    refused: list[Row] = field(default_factory=list)
    """With ``problem``: unknown_query, unknown_product, bad_grade, said_twice."""
    blank: int = 0
    """Rows that nobody judged."""

    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {
            "new": len(self.new),
            "same": len(self.same),
            "conflicts": len(self.conflicts),
            "refused": len(self.refused),
            "blank": self.blank,
        }


class Labels:
    """What people judged beside the owner's files: ``store/labels/KIND.jsonl``, one line each, never a line lost.

    A line says who, when, from which file; a later line on the same thing wins, and names what it stands in place of.
    """

    def __init__(self, store: Path, kind: str = "judgments") -> None:
        """`kind` is judgments (query_id, product, grade) or texts (text, label).

        Raises:
            ShopError: the file is damaged.
        """
        self.kind = kind
        self.path = store / "labels" / f"{kind}.jsonl"
        self.lines: list[Row] = []
        if self.path.exists():
            try:
                self.lines = [json.loads(line) for line in self.path.read_text("utf-8").splitlines() if line]
                self._now = {self.key(line): line for line in self.lines}
            except (ValueError, KeyError, TypeError) as error:
                raise ShopError(f"{self.path} is damaged: {error}", cure="restore it from a backup") from error
        else:
            self._now = {}

    def key(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """What is judged."""
        return tuple(str(row[name]) for name in KEYS[self.kind])

    @property
    def current(self) -> list[Row]:
        """The line that counts for each thing, in the order of their first."""
        return list(self._now.values())

    @property
    def name(self) -> str:
        """Hash of all lines; "" where there is none."""
        return content_hash(self.path) if self.lines else ""

    def sort(
        self,
        rows: Iterable[Row],
        *,
        known: Mapping[tuple[str, ...], Any],
        allowed: Mapping[str, frozenset[str]],
        scale: Sequence[float] = (),
    ) -> Sorted:
        """Say what is to become of the rows of a file.

        Args:
            rows: with the columns of the kind.
            known: what the owner's files say of each thing.
            allowed: column → values there are; a row with another is refused.
            scale: grades in use; one outside of them is refused, any finite number fits where there are none.
        """
        found, said = Sorted(), SAID[self.kind]
        known = {**known, **{key: line[said] for key, line in self._now.items()}}
        inside: dict[tuple[str, ...], Row] = {}
        twice: set[tuple[str, ...]] = set()
        for row in rows:
            value = self._value(row.get(said))
            if value is None:
                found.blank += 1
                continue
            given = {**row, said: value}
            if problem := self._problem(given, allowed, scale):
                found.refused.append({**row, "problem": problem})
                continue
            key = self.key(given)
            if key in inside and inside[key][said] != value:
                twice.add(key)
            inside.setdefault(key, given)
        for key, row in inside.items():
            if key in twice:
                found.refused.append({**row, "problem": "said_twice"})
            elif key not in known:
                found.new.append(row)
            elif known[key] == row[said]:
                found.same.append(row)
            else:
                found.conflicts.append({**row, "before": known[key]})
        return found

    def _value(self, given: Any) -> Any:
        """A grade as a number, a label as it is; None where nothing was said; text that is no number stays text."""
        text = "" if given is None else str(given).strip()
        if not text:
            return None
        if self.kind == "texts":
            return text
        try:
            return float(text)
        except ValueError:
            return text

    def _problem(self, row: Row, allowed: Mapping[str, frozenset[str]], scale: Sequence[float]) -> str:
        for name, values in allowed.items():
            if str(row.get(name)) not in values:
                return "unknown_" + {"query_id": "query"}.get(name, name)
        if self.kind == "judgments":
            grade = row["grade"]
            fits = isinstance(grade, float) and math.isfinite(grade)
            if not fits or (scale and not min(scale) <= grade <= max(scale)):
                return "bad_grade"
        return ""

    def add(self, rows: Sequence[Row], *, file: str, by: str, time: int) -> None:
        """Append rows with where they come from; on disk whole when this returns.

        Args:
            rows: of `Sorted.new`, or `Sorted.conflicts` where those replace what was said.
            file: hash of the file.
            by: who took it in.
            time: when, UTC milliseconds.

        Raises:
            DiskFull, ShopError: it cannot be written.
        """
        names = (*KEYS[self.kind], SAID[self.kind], "who", "when", "how", "before")
        for row in rows:
            kept = {name: row[name] for name in names if row.get(name) not in (None, "")}
            line = {**kept, "file": file, "taken_by": by, "taken": time}
            self.lines.append(line)
            self._now[self.key(line)] = line
        with disk_errors(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        written = "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in self.lines)
        write_text(self.path, written)

    def merged(self, raws: Mapping[str, Raw]) -> dict[str, Raw]:
        """`raws` with these judgments in place of the file's on the same pairs, and the others after them."""
        if not self._now or self.kind != "judgments":
            return dict(raws)
        import pyarrow as pa

        from mercer.quality.schema import SCHEMAS

        schema = SCHEMAS["judgments"]
        raw = raws.get("judgments")
        table: pa.Table = pa.table({name: [] for name in schema.names}, schema=schema) if raw is None else raw.table
        mine = set(self._now)
        pairs = zip(table["query_id"].to_pylist(), table["product"].to_pylist(), strict=True)
        stay = table.filter(pa.array([(str(query), str(product)) not in mine for query, product in pairs], pa.bool_()))
        first = max([0 if raw is None else raw.rows, *(1 + row for row in table["row_id"].to_pylist())])
        lines = [
            {"row_id": first + at, **{name: line[name] for name in ("query_id", "product", "grade")}}
            for at, line in enumerate(self.current)
        ]
        both = pa.concat_tables([stay, pa.Table.from_pylist(lines, schema=table.schema)])
        if raw is None:
            return {**raws, "judgments": self._alone(both)}
        rows = raw.rows + len(both) - len(table)
        return {**raws, "judgments": dataclasses.replace(raw, table=both, rows=rows)}

    def _alone(self, table: pa.Table) -> Raw:
        import pyarrow as pa

        whole, text = pa.int64(), pa.string()
        malformed = pa.schema([("row_id", whole), ("line", whole), ("text", text), ("problem", text)])
        uncast = pa.schema([("row_id", whole), ("field", text), ("text", text)])
        mapping = {name: name for name in ("query_id", "product", "grade")}
        return Raw(
            family="judgments",
            path=self.path,
            encoding="UTF-8",
            format="jsonl",
            table=table,
            malformed=malformed.empty_table(),
            uncast=uncast.empty_table(),
            unmapped=(),
            mapping=mapping,
            rows=table.num_rows,
        )
