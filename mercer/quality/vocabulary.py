"""A shop's own word for an action or for availability in; Mercer's word out."""

from __future__ import annotations

from mercer.quality.names import normalised

__all__ = ["action", "availability"]

ACTIONS = {
    "impression": "impression view_item_list view_search_results show shown exposure 曝光 展示",
    "view": "view view_item page_view pageview product_view item_view detail pv visit browse productviewed "
    "浏览 查看 访问 看",
    "click": "click select_item item_click product_click select_content clicked 点击 点",
    "add_to_cart": "add_to_cart addtocart cart add_cart basket add_to_basket atc productadded 加购 加入购物车 购物车",
    "purchase": "purchase buy transaction order checkout_complete purchased bought sale orderplaced conversion "
    "ecommerce_purchase in_app_purchase 购买 下单 支付 成交 买",
    "refund": "refund return returned cancel cancelled 退款 退货 取消订单",
    "like": "like fav favorite favourite add_to_wishlist wishlist collect thumbs_up 收藏 喜欢 点赞",
    "dislike": "dislike remove_from_wishlist thumbs_down hide not_interested 不喜欢 踩 不感兴趣",
}
"""UBI 1.3, GA4 e-commerce, RetailRocket, Taobao UserBehavior (pv, buy, cart, fav) and common Chinese words."""

AVAILABILITY = {
    "in_stock": "in_stock instock available in_store_only "
    "online_only limited_availability yes y true t 1 on on_sale onsale "
    "active 有货 现货 在售 上架 是 充足 有 已上架",
    "out_of_stock": "out_of_stock outofstock sold_out unavailable no n false f 0 oos "
    "back_order 缺货 无货 售罄 售完 否 无 断货",
    "preorder": "preorder pre_order pre_sale presale backorder coming_soon 预售 预订 预定",
    "discontinued": "discontinued delisted inactive archived off off_sale 下架 停产 停售 已下架",
}
"""schema.org/ItemAvailability, Google Merchant's availability, flags, and common Chinese words."""


def _table(words: dict[str, str]) -> dict[str, str]:
    return {normalised(word): meaning for meaning, text in words.items() for word in text.split()}


_ACTIONS, _AVAILABILITY = _table(ACTIONS), _table(AVAILABILITY)
_LISTED = ("onsale", "isonsale", "isactive", "active", "在售", "是否上架", "上架状态")
"""Columns in which "false" means that the shop took the product off."""


def action(word: str) -> str | None:
    """Mercer's action for a shop's word.

    >>> action("view_item"), action("加购"), action("scroll")
    ('view', 'add_to_cart', None)
    """
    return _ACTIONS.get(normalised(word))


def availability(word: str, *, column: str = "") -> str | None:
    """Mercer's availability for a shop's word, schema.org address or flag in the raw column `column`.

    >>> availability("https://schema.org/InStock"), availability("缺货"), availability("false", column="on_sale")
    ('in_stock', 'out_of_stock', 'discontinued')
    """
    known = _AVAILABILITY.get(normalised(word.rsplit("/", 1)[-1]))
    return "discontinued" if known == "out_of_stock" and normalised(column) in _LISTED else known
