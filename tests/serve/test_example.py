"""Every body and every answer in the OpenAPI document has an example, and each is what its schema says."""

from __future__ import annotations

from typing import Any

import pytest

from mercer.serve.example import examples_of_answers

jsonschema_rs = pytest.importorskip("jsonschema_rs", reason="mercer[dev] is not installed")


@pytest.fixture
def document(double_client: Any) -> Any:
    return double_client.get("/openapi.json").json()


def parts(document: Any) -> list[tuple[str, Any]]:
    found = []
    for path, acts in document["paths"].items():
        for method, operation in acts.items():
            answers = [one for status, one in operation["responses"].items() if status.startswith("2")]
            for part in [*answers, operation.get("requestBody", {})]:
                given = part.get("content", {}).get("application/json", {})
                if given.get("schema"):  # a portrait is what the shop knows, and says so by itself
                    found.append((f"{method} {path}", given))
    return found


def test_every_body_and_answer_has_an_example_that_fits(document: Any) -> None:
    listed = parts(document)
    assert len(listed) >= 20
    for name, part in listed:
        examples = [part["example"]] if "example" in part else [one["value"] for one in part["examples"].values()]
        schema = {**part["schema"], "components": document["components"]}
        for example in examples:
            assert jsonschema_rs.is_valid(schema, example), (name, example)


def test_what_an_author_wrote_stays_and_trees_end() -> None:
    tree = {"type": "object", "properties": {"more": {"type": "array", "items": {"$ref": "#/components/schemas/T"}}}}
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}}
    said = {"content": {"application/json": {"schema": {"type": "string"}, "example": "mine"}}}
    document = {
        "paths": {"/a": {"get": {"responses": {"200": answer, "201": said, "404": {}}}}},
        "components": {"schemas": {"T": tree}},
    }
    examples_of_answers(document)
    assert "more" in answer["content"]["application/json"]["example"]
    assert said["content"]["application/json"]["example"] == "mine"
