"""An OpenAPI document in; the same with an example of every answer that has none out, made from its schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["examples_of_answers"]

SAID: Mapping[str, Any] = {
    "query_id": "9f2c61d04be7a358", "id": "p-1", "product": "p-1", "item": "p-1", "shopper": "s-1", "session": "v-1",
    "title": "Oak serving board 榉木托盘", "brand": "Nordwald", "currency": "EUR", "price": 24.5, "stock": 12,
    "reason": "matches your words", "completions": ["serving board", "serving bowl"], "version": "41c1a7c0b5f0d2e3",
    "index": "41c1a7c0b5f0d2e3", "time": 1_790_000_000_000, "status": "ok", "cure": "send it again",
}  # fmt: skip
"""What fields of these names say, where their schema lets them."""
KINDS: Mapping[str, Any] = {"string": "", "integer": 1, "number": 1.0, "boolean": True, "null": None}
FITS: Mapping[str, Any] = {"string": str, "integer": int, "number": (int, float)}
DEEPEST = 8
"""Schemas within schemas, as of a tree that holds trees."""


def examples_of_answers(document: dict[str, Any]) -> None:
    """Add them in place; what a route's author wrote stays."""
    known = document.get("components", {}).get("schemas", {})
    for answer in _answers(document):
        schema = answer.get("schema")
        if schema and "example" not in answer and "examples" not in answer:
            answer["example"] = _example(schema, known, "", 0)


def _answers(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The JSON of every answer that is no refusal."""
    for acts in document["paths"].values():
        for operation in acts.values():
            for status, answer in operation.get("responses", {}).items():
                if status.startswith("2") and "application/json" in answer.get("content", {}):
                    yield answer["content"]["application/json"]


def _example(schema: Mapping[str, Any], known: Mapping[str, Any], name: str, depth: int) -> Any:
    if "$ref" in schema:
        return _example(known[schema["$ref"].rpartition("/")[2]], known, name, depth + 1)
    for given in ("const", "default"):
        if schema.get(given) not in (None, "", [], {}) and name not in SAID:
            return schema[given]
    if choices := schema.get("enum"):
        return next((choice for choice in choices if choice), choices[0])
    if one := next((schema[way] for way in ("anyOf", "oneOf", "allOf") if schema.get(way)), None):
        return _example(
            next((choice for choice in one if choice.get("type") != "null"), one[0]), known, name, depth + 1
        )
    return _plain(schema, known, name, depth)


def _plain(schema: Mapping[str, Any], known: Mapping[str, Any], name: str, depth: int) -> Any:
    kind, said = schema.get("type", "null"), SAID.get(name)
    if kind == "object":
        return _object(schema, known, depth)
    if kind == "array":
        items = schema.get("items", {})
        return said if isinstance(said, list) else [_example(items, known, "", depth + 1)] if depth < DEEPEST else []
    if isinstance(said, FITS.get(kind, ())):
        return said
    return schema.get("minimum", "p-1" if schema.get("minLength") else KINDS[kind])


def _object(schema: Mapping[str, Any], known: Mapping[str, Any], depth: int) -> dict[str, Any]:
    fields = schema.get("properties", {})
    if fields:
        return {name: _example(field, known, name, depth + 1) for name, field in fields.items()}
    more = schema.get("additionalProperties")
    return {"brand": _example(more, known, "", depth + 1)} if isinstance(more, dict) and depth < DEEPEST else {}
