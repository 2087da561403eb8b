"""C02 drops identical rows, keeps the first of conflicting ones and names ids that differ in case."""


def test_duplicates(found_in, clean_rows):
    products = clean_rows["products"]
    products.append(dict(products[0]))
    products.append({**products[1], "price": 99.0})
    products.append({**products[2], "id": " P2"})
    products.append({**products[1], "price": 99.0})
    assert found_in({"products": products}, "C02") == [
        ("products", 1, "id", "conflict_kept"),
        ("products", 90, "id", "identical_row"),
        ("products", 91, "id", "conflicting_row"),
        ("products", 92, "id", "id_variant"),
        ("products", 93, "id", "identical_row"),
    ]


def test_rows_without_an_id_are_not_each_others_duplicates(found_in):
    rows = [{"title": "a mug"}, {"title": "a mug"}]
    assert found_in({"products": rows}, "C02") == []


def test_nan_and_null_count_as_equal(found_in):
    row = {"id": "1", "title": "a mug", "price": float("nan"), "brand": None}
    assert found_in({"products": [row, dict(row)]}, "C02") == [("products", 1, "id", "identical_row")]
