"""C03 names copies of a listing and takes nothing out."""

from mercer.quality.run import check


def test_copies_after_normalisation(raw_of, found_in, clean_rows):
    products = clean_rows["products"]
    products[0]["price"] = None
    products.append({**products[0], "id": "copy", "title": "  ｍｕｇ ＆  SAUCER 0", "price": 5.0})
    assert found_in({"products": products}, "C03") == [("products", 0, "title", "same_listing")]
    checked = check({"products": raw_of("products", products)}, now=0)
    assert checked.trusted["products"].num_rows == 91
    suggestions = [row["suggestion"] for row in checked.findings.to_pylist() if row["check_id"] == "C03"]
    assert suggestions == ["canonical: copy"]


def test_variants_that_differ_are_two_products(found_in, clean_rows):
    products = clean_rows["products"]
    products.append({**products[0], "id": "blue", "attributes": '{"color": "blue"}'})
    assert found_in({"products": products}, "C03") == []
