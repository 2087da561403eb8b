"""Tables in; what simple, well-known rules would flag, to stand beside Mercer's checks, out.

Each baseline is a function of the tables that gives (family, row_id) pairs. They are what a shop would write in an
afternoon: three standard deviations, exact keys, and not-null, enumeration, range and foreign-key rules as in pandera.
cleanlab and Presidio run where they are installed (pip install cleanlab presidio-analyzer), with their defaults.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["BASELINES", "Pairs"]

Pairs = set[tuple[str, int]]
Tables = Mapping[str, pa.Table]
TYPES = ("impression", "view", "click", "add_to_cart", "purchase", "refund", "like", "dislike")
EARLIEST = 788_918_400_000


def _pairs(family: str, table: pa.Table, where: Any) -> Pairs:
    mask = np.asarray(where, bool)
    return {(family, id) for id in table["row_id"].to_numpy()[mask].tolist()}


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    return table[name].cast(pa.float64(), safe=False).to_numpy().astype(float)


def three_sigma(*columns: tuple[str, str]) -> Callable[[Tables], Pairs]:
    """Values more than three standard deviations from the mean of their column; not-finite ones too."""

    def flag(tables: Tables) -> Pairs:
        found: Pairs = set()
        for family, name in columns:
            if family in tables and tables[family][name].null_count < len(tables[family]):
                values = _numbers(tables[family], name)
                finite = values[np.isfinite(values)]
                far = np.abs(values - finite.mean()) > 3 * finite.std()
                present = tables[family][name].is_valid().to_numpy()
                found |= _pairs(family, tables[family], present & (far | ~np.isfinite(values)))
        return found

    return flag


def busy(family: str, *keys: str) -> Callable[[Tables], Pairs]:
    """All rows of a key (a shopper, a session, a product and minute) with three sigma more rows than the mean key."""

    def flag(tables: Tables) -> Pairs:
        if family not in tables:
            return set()
        table = tables[family]
        if "minute" in keys:
            minute = pc.divide(pc.fill_null(table["time"], 0), 60_000)
            table = table.append_column("minute", minute)
        code = table.select(list(keys))
        counts = code.group_by(list(keys)).aggregate([([], "count_all")])
        number = counts["count_all"].to_numpy()
        high = counts.filter(pa.array(number > number.mean() + 3 * number.std())).select(list(keys))
        hit = table.select(["row_id", *keys]).join(high, keys=list(keys), join_type="inner")
        return {(family, id) for id in hit["row_id"].to_pylist()}

    return flag


def same(family: str, *keys: str) -> Callable[[Tables], Pairs]:
    """Rows after the first that have equal, present keys."""

    def flag(tables: Tables) -> Pairs:
        if family not in tables:
            return set()
        table = tables[family]
        columns = [table[name].to_pylist() for name in keys]
        seen: set[Any] = set()
        found: Pairs = set()
        for row_id, key in zip(table["row_id"].to_pylist(), zip(*columns, strict=True), strict=True):
            if None not in key and key in seen:
                found.add((family, row_id))
            seen.add(key)
        return found

    return flag


def together(*flags: Callable[[Tables], Pairs]) -> Callable[[Tables], Pairs]:
    """What any of them flags."""
    return lambda tables: set().union(*(flag(tables) for flag in flags))


def present(**required: tuple[str, ...]) -> Callable[[Tables], Pairs]:
    """Not null and not empty, and what the reader could not read."""

    def flag(tables: Tables) -> Pairs:
        found: Pairs = set()
        for family, names in required.items():
            if family not in tables:
                continue
            for name in names:
                column = tables[family][name]
                empty = pc.is_null(column)
                if pa.types.is_string(column.type):
                    empty = pc.or_(empty, pc.fill_null(pc.equal(column, ""), True))
                found |= _pairs(family, tables[family], empty.to_numpy())
            for side in ("malformed", "uncast"):
                if f"{family}.{side}" in tables:
                    found |= {(family, id) for id in tables[f"{family}.{side}"]["row_id"].to_pylist()}
        return found

    return flag


def ranged(family: str, name: str, low: float, high: float = float("inf")) -> Callable[[Tables], Pairs]:
    """Present values that are not within low (excluded) and high."""

    def flag(tables: Tables) -> Pairs:
        if family not in tables:
            return set()
        values = _numbers(tables[family], name)
        inside = (values > low) & (values < high)
        return _pairs(family, tables[family], tables[family][name].is_valid().to_numpy() & ~inside)

    return flag


def known(family: str, name: str, other: str, key: str) -> Callable[[Tables], Pairs]:
    """Present values that the other table's key does not have."""

    def flag(tables: Tables) -> Pairs:
        if family not in tables or other not in tables:
            return set()
        column = tables[family][name]
        there = pc.is_in(column, value_set=pa.concat_arrays(tables[other][key].chunks))
        return _pairs(family, tables[family], pc.and_(column.is_valid(), pc.invert(there)).to_numpy())

    return flag


def one_of(family: str, name: str, values: tuple[str, ...]) -> Callable[[Tables], Pairs]:
    def flag(tables: Tables) -> Pairs:
        if family not in tables:
            return set()
        column = tables[family][name]
        return _pairs(family, tables[family], pc.invert(pc.is_in(column, value_set=pa.array(values))).to_numpy())

    return flag


def matching(pattern: str) -> Callable[[Tables], Pairs]:
    """Texts of any family with this regular expression in them."""

    def flag(tables: Tables) -> Pairs:
        return {
            (family, id)
            for family, table, name in _texts(tables)
            for id in table["row_id"]
            .to_numpy()[pc.fill_null(pc.match_substring_regex(table[name], pattern), False).to_numpy()]
            .tolist()
        }

    return flag


def _texts(tables: Tables) -> Iterator[tuple[str, pa.Table, str]]:
    for family, names in {
        "products": ("title", "description", "bullets"),
        "queries": ("text",),
        "reviews": ("text",),
        "faq": ("question", "answer"),
    }.items():
        for name in names:
            if family in tables:
                yield family, tables[family], name


def cleanlab_alone(tables: Tables) -> Pairs:
    """cleanlab's default filter over out-of-fold TF-IDF and logistic regression of a query with a title."""
    if not {"judgments", "products", "queries"} <= set(tables):
        return set()
    from cleanlab.filter import find_label_issues
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    titles = dict(zip(*(tables["products"][name].to_pylist() for name in ("id", "title")), strict=True))
    asked = dict(zip(*(tables["queries"][name].to_pylist() for name in ("query_id", "text")), strict=True))
    rows = tables["judgments"].to_pylist()
    pairs = [f"{asked.get(row['query_id']) or ''} | {titles.get(row['product']) or ''}" for row in rows]
    names, labels = np.unique([row["grade"] for row in rows], return_inverse=True)
    if len(names) < 2 or np.bincount(labels).min() < 3:
        return set()
    features = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), max_features=50_000).fit_transform(pairs)
    guess = cross_val_predict(LogisticRegression(max_iter=200), features, labels, cv=3, method="predict_proba")
    issues = find_label_issues(labels, guess, n_jobs=1)
    return {("judgments", row["row_id"]) for row, issue in zip(rows, issues, strict=True) if issue}


def presidio(tables: Tables) -> Pairs:
    """Presidio's default recognisers of patterns at its default threshold (0); no model of names, dates and URLs left.

    The list of domain endings is the one that its package carries, so that nothing is fetched.
    """
    import tldextract
    from presidio_analyzer import PatternRecognizer, RecognizerRegistry

    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers()
    recognisers = [
        one
        for one in registry.recognizers
        if (isinstance(one, PatternRecognizer) or type(one).__name__ == "PhoneRecognizer")
        and one.supported_language == "en"
        and not {"DATE_TIME", "URL"} & set(one.supported_entities)
    ]
    found: Pairs = set()
    for family, table, name in _texts(tables):
        for row_id, text in zip(table["row_id"].to_pylist(), table[name].to_pylist(), strict=True):
            if text and any(one.analyze(text, one.supported_entities, None) for one in recognisers):
                found.add((family, row_id))
    return found


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


REQUIRED = {
    "products": ("id", "title"),
    "queries": ("query_id", "text"),
    "judgments": ("query_id", "product", "grade"),
    "reviews": ("text",),
    "faq": ("question", "answer"),
}
BURST = busy("events", "product", "minute")
SESSION, SHOPPER, PRODUCT = (busy("events", name) for name in ("session", "shopper", "product"))
PII = r"1[3-9][0-9]{9}|[0-9]{17}[0-9Xx]|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+"
BASELINES: dict[str, dict[str, Callable[[Tables], Pairs]]] = {
    "C01": {"rules": present(**REQUIRED)},
    "C02": {"exact keys": same("products", "id")},
    "C03": {"exact keys": same("products", "title")},
    "C06": {"3-sigma": three_sigma(("products", "price")), "rules": ranged("products", "price", 0, 1e6)},
    "C07": {"rules": matching("<[a-zA-Z/][^>]*>|&[a-z]+;|\ufffd")},
    "C08": {"rules": matching("(?i)free shipping|best price|hot sale|包邮|爆款|特价")},
    "C13": {
        "rules": together(
            known("judgments", "product", "products", "id"),
            known("judgments", "query_id", "queries", "query_id"),
            known("reviews", "product", "products", "id"),
        )
    },
    "C14": {"rules": matching("(?i)ignore (all )?previous|system prompt|忽略.{0,6}(指令|提示)")},
    "C17": {"rules": matching(PII), **({"Presidio": presidio} if _installed("presidio_analyzer") else {})},
    "E01": {
        "rules": together(
            present(events=("type", "product", "time")),
            one_of("events", "type", TYPES),
            known("events", "product", "products", "id"),
            ranged("events", "quantity", 0),
        )
    },
    "E02": {"exact keys": same("events", "event_id")},
    "E03": {"3-sigma": three_sigma(("events", "time")), "rules": ranged("events", "time", EARLIEST, 4e12)},
    "E04": {"rules": ranged("events", "price", 0)},
    "E05": {"3-sigma": SESSION},
    "E06": {"3-sigma": BURST},
    "E08": {"3-sigma": together(SHOPPER, PRODUCT)},
    "E09": {"3-sigma": together(SESSION, PRODUCT)},
    "L02": {"exact keys": same("queries", "text")},
    "L03": {"exact keys": same("judgments", "query_id", "product")},
    "L04": {"cleanlab alone": cleanlab_alone} if _installed("cleanlab") else {},
    "T01": {"rules": matching(PII), **({"Presidio": presidio} if _installed("presidio_analyzer") else {})},
    "T02": {"exact keys": same("reviews", "text")},
    "T08": {"rules": matching("(?i)ignore (all )?previous|system prompt|忽略.{0,6}(指令|提示)")},
    "T14": {"exact keys": same("queries", "text")},
    "X03": {"exact keys": together(same("queries", "text"), same("judgments", "query_id", "product"))},
}
"""Check → name → baseline. A check without one has none that a shop would write in an afternoon."""
