import pytest

from mercer.quality.names import KNOWN, canonical, is_known, score
from mercer.quality.schema import COLUMNS
from mercer.quality.vocabulary import action, availability


def test_every_name_is_of_a_canonical_column_and_knows_itself() -> None:
    for family, columns in KNOWN.items():
        assert set(columns) <= set(COLUMNS[family])
        assert set(COLUMNS[family]) - set(columns) <= {"derived"}
        for column in columns:
            assert score(family, column, column) > 0


@pytest.mark.parametrize(
    ("family", "raw", "column"),
    [
        ("products", "offers.price", "price"),
        ("products", "aggregateRating.ratingValue", "rating"),
        ("products", "aggregateRating.reviewCount", "rating_count"),
        ("products", "brand.name", "brand"),
        ("products", "image[0]", "image"),
        ("products", "google_product_category", "category"),
        ("products", "image_link", "image"),
        ("products", "supplier", "brand"),
        ("products", "vendor", "brand"),
        ("products", "current_stock", "stock"),
        ("products", "bullet_points", "bullets"),
        ("products", "商品编号", "id"),
        ("products", "商品名称", "title"),
        ("products", "原价", "list_price"),
        ("products", "价格", "price"),
        ("products", "类目", "category"),
        ("products", "库存", "stock"),
        ("products", "描述", "description"),
        ("events", "user_pseudo_id", "shopper"),
        ("events", "event_timestamp", "time"),
        ("events", "action_name", "type"),
        ("events", "client_id", "shopper"),
        ("events", "event_attributes.object.object_id", "product"),
        ("events", "event_attributes.position.ordinal", "position"),
        ("events", "StockCode", "product"),
        ("events", "InvoiceNo", "session"),
        ("events", "CustomerID", "shopper"),
        ("events", "订单号", "session"),
        ("events", "用户", "shopper"),
        ("reviews", "评论", "text"),
        ("reviews", "评分", "rating"),
        ("reviews", "stars", "rating"),
        ("judgments", "docid", "product"),
        ("faq", "问题", "question"),
    ],
)
def test_names_of_standards_dumps_and_chinese_exports(family: str, raw: str, column: str) -> None:
    assert canonical(family, raw) == column


def test_an_unknown_name_is_unknown() -> None:
    assert not is_known("products", "gender_affinity")
    assert canonical("events", "xyzzy") is None


@pytest.mark.parametrize(
    ("word", "known"),
    [("view_item", "view"), ("pv", "view"), ("select_item", "click"), ("addtocart", "add_to_cart"), ("buy", "purchase"),
     ("Add to Cart", "add_to_cart"), ("加购", "add_to_cart"), ("收藏", "like"), ("退款", "refund"), ("scroll", None)],
)  # fmt: skip
def test_words_for_actions(word: str, known: str | None) -> None:
    assert action(word) == known


@pytest.mark.parametrize(
    ("word", "column", "known"),
    [
        ("http://schema.org/InStock", "", "in_stock"),
        ("https://schema.org/OutOfStock", "", "out_of_stock"),
        ("in stock", "", "in_stock"),
        ("有货", "", "in_stock"),
        ("缺货", "", "out_of_stock"),
        ("预售", "", "preorder"),
        ("false", "in_stock", "out_of_stock"),
        ("false", "on_sale", "discontinued"),
        ("true", "on_sale", "in_stock"),
        ("who knows", "", None),
    ],
)
def test_words_for_availability(word: str, column: str, known: str | None) -> None:
    assert availability(word, column=column) == known
