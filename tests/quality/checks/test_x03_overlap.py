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
