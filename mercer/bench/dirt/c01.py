"""Products, queries, reviews and questions in, rows that cannot be read or say nothing among them out (C01)."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, unfit, unread, victims

CHECK = "C01"
MAIN = {"products": "title", "queries": "text", "reviews": "text", "faq": "question"}
NUMBER = {"products": "price", "reviews": "rating"}
KINDS = {
    "easy": ("missing",),
    "medium": ("missing", "blank", "half_line", "wrong_type", "service"),
    "adversarial": ("odd_blank", "service", "service_variant"),
}
SERVICE = ("Postage", "DOTCOM POSTAGE", "运费", "补差价", "damaged", "Bank Charges", "盘点")
VARIANT = ("Royal Mail postage - 2nd class", "邮费补拍链接", "stock adj. (counted twice)", "P&P")


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Missing and blank titles, cut lines, words for numbers, lines of a bill; blanks and notes of rarer kinds."""
    rng, truth = np.random.default_rng(seed), Truth(CHECK)
    for family, field in MAIN.items():
        if family in tables:
            tables = _hurt(tables, family, field, victims(tables[family], rate, rng), difficulty, truth)
    return tables, truth.table()


def _hurt(tables: Tables, family: str, field: str, rows: list[int], difficulty: Difficulty, truth: Truth) -> Tables:
    table, kinds = tables[family], KINDS[difficulty]
    if family != "products":
        kinds = tuple(kind for kind in kinds if not kind.startswith("service"))
    ids = table["row_id"].to_pylist()
    number = NUMBER.get(family, "")
    numbered = set(filled(table, number).tolist())
    values: dict[int, object] = {}
    words, cut = {}, []
    for count, row in enumerate(rows):
        kind = kinds[count % len(kinds)]
        if kind == "wrong_type" and row not in numbered:
            kind = "missing"
        if kind == "half_line":
            cut.append(row)
        elif kind == "wrong_type":
            words[row] = ("call us", "tbd", "12.5.3")[count % 3]
        else:
            values[row] = {
                "missing": None,
                "blank": "  ",
                "odd_blank": ("\u200b", "\u3000\u00a0", "\ufeff")[count % 3],
                "service": SERVICE[count % len(SERVICE)],
                "service_variant": VARIANT[count % len(VARIANT)],
            }[kind]
        truth.add(family, ids[row], kind)
    table = changed(table, field, values)
    tables = {**tables, family: table}
    if words:
        tables = unfit(tables, family, number, words)
    lines = [json.dumps(row, ensure_ascii=False)[:40] for row in table.take(pa.array(cut, pa.int64())).to_pylist()]
    return unread(tables, family, cut, lines, "ends in the middle") if cut else tables
