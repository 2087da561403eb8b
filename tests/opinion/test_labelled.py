"""Any labelled file that people have is read, or refused with the columns that were seen."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from mercer.errors import DataError, MercerError, RequestError
from mercer.opinion.labelled import read_labelled

ROWS = [
    ("质量很好，很喜欢", "正面"),
    ("物流太慢，差评", "负面"),
    ("包装破了，失望", "负面"),
    ("很满意，会再买", "正面"),
    ("一般般吧", "中性"),
    ("还行", "中性"),
]


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def lines(delimiter: str = ",", head: str = "内容,情感倾向") -> str:
    return "\n".join([head.replace(",", delimiter), *(f'"{text}"{delimiter}{label}' for text, label in ROWS)]) + "\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.csv", lines()),
        ("bom.csv", "\ufeff" + lines()),
        ("gb.csv", lines().encode("gb18030")),
        ("utf16.csv", lines().encode("utf-16")),
        ("tabs.tsv", lines("\t")),
        ("crlf.csv", lines().replace("\n", "\r\n")),
        ("packed.csv.gz", gzip.compress(lines().encode(), mtime=0)),
        ("empty rows.csv", lines().replace("\n", "\n\n,\n")),
        ("rows.jsonl", "\n".join(json.dumps({"文本": t, "标签": x}, ensure_ascii=False) for t, x in ROWS)),
        ("array.json", json.dumps([{"review": t, "label": x} for t, x in ROWS], ensure_ascii=False)),
        ("at.txt", "\n".join(f"{text} @{label}" for text, label in ROWS)),
    ],
)
def test_a_file_of_any_shape_gives_the_same_rows(tmp_path: Path, name: str, data: bytes | str) -> None:
    found = read_labelled(written(tmp_path / name, data))
    assert list(zip(found.texts, found.labels, strict=True)) == ROWS


def test_labels_may_be_numbers_and_stand_before_the_text(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", "cat,label,review\n" + "".join(f"书,{at % 2}.0,句子{at}\n" for at in range(8)))
    found = read_labelled(file)
    assert (found.columns.text, found.columns.label) == ("review", "label")
    assert set(found.labels) == {"0", "1"}


def test_another_column_can_be_the_label(tmp_path: Path) -> None:
    rows = "".join(f"{'书' if at % 2 else '水果'},1,句子{at}\n" for at in range(8))
    found = read_labelled(written(tmp_path / "a.csv", "cat,label,review\n" + rows), label="cat")
    assert set(found.labels) == {"书", "水果"}


def test_columns_without_telling_names_are_told_by_what_they_hold(tmp_path: Path) -> None:
    rows = "".join(f"{at},a rather long text number {at},{'ab'[at % 2]}\n" for at in range(10))
    found = read_labelled(written(tmp_path / "a.csv", "k,foo,bar\n" + rows))
    assert (found.columns.text, found.columns.label) == ("foo", "bar")


def test_a_first_row_that_is_a_sentence_is_no_header(tmp_path: Path) -> None:
    rows = "".join(
        f'{"negative" if at % 2 else "positive"},"sentence number {at}, which goes on for a while"\n' for at in range(6)
    )
    assert len(read_labelled(written(tmp_path / "a.csv", rows)).texts) == 6


def test_a_text_with_commas_and_no_quotes_is_kept(tmp_path: Path) -> None:
    rows = "".join(f"{'neg' if at % 2 else 'pos'},text {at}\n" for at in range(6)) + "neg,bad, very bad, never again\n"
    found = read_labelled(written(tmp_path / "a.csv", "label,text\n" + rows))
    assert found.texts[-1] == "bad, very bad, never again"
    assert not found.left_out


def test_labels_in_a_second_file_are_joined_by_id_or_line(tmp_path: Path) -> None:
    texts = written(tmp_path / "t.csv", "doc,text\n" + "".join(f"d{at},text {at}\n" for at in range(6)))
    by_id = written(tmp_path / "l.csv", "doc,label\n" + "".join(f"d{at},{at % 2}\n" for at in reversed(range(5))))
    found = read_labelled(texts, by_id)
    assert found.labels == ["0", "1", "0", "1", "0"]
    assert found.left_out == {"no label": 1}
    by_line = written(tmp_path / "m.csv", "label\n" + "".join(f"{'yn'[at % 2]}\n" for at in range(6)))
    assert read_labelled(texts, by_line).labels == ["y", "n"] * 3


def test_what_cannot_be_a_label_is_refused_with_the_columns_seen(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", "when,words\n" + "".join(f"t{at},w{at}\n" for at in range(30)))
    with pytest.raises(DataError, match=r"when.*words"):
        read_labelled(file)
    with pytest.raises(RequestError, match=r"has no column 'nope'; it has when, words"):
        read_labelled(file, label="nope")


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), b"\n\n", b"[]", b"text,label\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MercerError):
        read_labelled(written(tmp_path / "bad.csv", data))
