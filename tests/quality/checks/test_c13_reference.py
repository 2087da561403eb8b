"""C13 finds judgments, reviews and images that point to nothing."""


def test_orphans(found_in, clean_rows):
    clean_rows["judgments"][0]["query_id"] = "nobody"
    clean_rows["judgments"][1]["product"] = "nothing"
    clean_rows["reviews"][2]["product"] = "nothing"
    clean_rows["reviews"][3]["product"] = None
    assert found_in(clean_rows, "C13") == [
        ("judgments", 0, "query_id", "unknown_query"),
        ("judgments", 1, "product", "unknown_product"),
        ("reviews", 2, "product", "unknown_product"),
    ]


def test_images_that_are_files(raw_of, found_in, clean_rows, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    products = clean_rows["products"]
    products[0]["image"], products[1]["image"] = "a.jpg", "b.jpg"
    products[2]["image"] = "x" * 5000
    rows = {"products": raw_of("products", products, folder=tmp_path)}
    assert found_in(rows, "C13") == [("products", row, "image", "missing_image") for row in (1, 2)]
    (tmp_path / "a.jpg").unlink()
    assert found_in(rows, "C13") == [("products", -1, "image", "no_images")]
