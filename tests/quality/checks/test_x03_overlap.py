"""X03 finds queries and judgments that would stand on both sides of a split."""


def test_the_same_words_under_two_ids(found_in, clean_rows):
    clean_rows["queries"].append({"query_id": "other", "text": " 连衣裙　ＭＵＧ 0 "})
    assert found_in(clean_rows, "X03") == [("queries", 10, "text", "same_query")]


def test_an_id_of_two_texts(found_in, clean_rows):
    clean_rows["queries"].append({"query_id": "q0", "text": "帐篷"})
    assert found_in(clean_rows, "X03") == [("queries", 10, "query_id", "query_id_reused")]


def test_judgments_twice(found_in, clean_rows):
    judgments = clean_rows["judgments"]
    judgments += [dict(judgments[0]), {**judgments[1], "grade": 3.0}]
    assert found_in(clean_rows, "X03") == [
        ("judgments", 40, "product", "judged_again"),
        ("judgments", 41, "grade", "judged_otherwise"),
    ]


def test_another_grade_under_the_other_id_of_the_same_words(found_in, clean_rows):
    clean_rows["queries"].append({"query_id": "other", "text": clean_rows["queries"][0]["text"]})
    clean_rows["judgments"].append({"query_id": "other", "product": "p0", "grade": 3.0})
    assert ("judgments", 40, "grade", "judged_otherwise") in found_in(clean_rows, "X03")


def test_a_query_that_differs_in_order_or_a_plural(found_in, clean_rows):
    clean_rows["queries"] += [
        {"query_id": "order", "text": "0 MUGS, 连衣裙"},
        {"query_id": "long", "text": "red summer dress for tall women"},
        {"query_id": "longer", "text": "red summer dress for very tall women"},
        {"query_id": "short", "text": "连衣裙 0"},
    ]
    assert found_in(clean_rows, "X03") == [("queries", 10, "text", "near_query"), ("queries", 12, "text", "near_query")]


def split_in(table, inputs, **told):
    from mercer.quality.training import check_training

    rows = check_training(table, label="rating", inputs=inputs, split="split", **told).findings.to_pylist()
    return sorted((row["row_id"], row["problem"]) for row in rows if row["check_id"] == "X03")


def halves(table, copied=()):
    """Training then test rows, some test rows repeated among the training rows, with a text of their own."""
    import numpy as np
    import pyarrow as pa

    words = [f"{row} nice {row * 7 % 97} warm cup number {row * row}" for row in range(len(table))]
    table = table.append_column("note", pa.array(words))
    side = np.where(np.arange(len(table)) < 900, "train", "test")
    table = table.append_column("split", pa.array(side.tolist()))
    for at, source, text in copied:
        row = {**table.slice(source, 1).to_pylist()[0], "split": "train"}
        row |= {"note": text(row["note"])}
        new = pa.Table.from_pylist([row], schema=table.schema)
        table = pa.concat_tables([table[:at], new, table[at + 1 :]])
    return table


def test_rows_on_both_sides_of_a_split(recommended):
    assert split_in(halves(recommended), ["note", "price"]) == []
    copied = [(5, 1000, str), (9, 1001, lambda text: text.upper().replace(" NICE", "") + "!")]
    assert split_in(halves(recommended, copied), ["note", "price"]) == [(5, "row_held_out_too"), (9, "near_held_out")]
    assert split_in(halves(recommended, copied), ["category", "price"]) == []


def test_groups_on_both_sides(recommended):
    table = halves(recommended)
    found = split_in(table, ["note", "price"], groups=["user"])
    assert {problem for _, problem in found} == {"group_held_out_too"}
    assert split_in(table, ["note", "price"], groups=["user"], time="time") == []
