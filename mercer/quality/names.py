"""A raw column name in; the canonical column that shops, standards and public dumps mean by it out."""

from __future__ import annotations

import re
from functools import cache

__all__ = ["canonical", "is_known", "normalised", "score"]

KNOWN: dict[str, dict[str, str]] = {
    "products": {
        "id": "id product_id item_id sku asin product_code item_code goods_id goods_sn goods_no spu_id sku_id "
        "product_no stock_code article_id article_number productID gtin gtin13 ean upc mpn handle uniq_id "
        "parent_asin item_number 商品编号 商品id 商品编码 商品货号 货号 编号 商品代码 产品编号 产品id 宝贝id "
        "sku编码 item_group_id",
        "title": "title name product_name product_title item_name goods_name product item_title display_name "
        "headline 商品名称 标题 商品标题 名称 商品名 产品名称 品名 宝贝标题 宝贝名称",
        "description": "description desc product_description long_description body_html body detail details summary "
        "short_description brief about content text 描述 商品描述 商品详情 详情 简介 产品描述 说明",
        "bullets": "bullets bullet_points bullet_point product_highlight features highlights selling_points "
        "key_features 卖点 商品卖点 亮点",
        "brand": "brand brand.name brand_name manufacturer manufacturer.name maker vendor supplier product_brand "
        "label 品牌 品牌名称 品牌名 厂商 供应商 厂家 制造商",
        "category": "category category_code product_type google_product_category category_path category_name "
        "categories category.name category_l3 item_category department cate taxonomy 类目 分类 商品类目 商品分类 类别 "
        "品类 类目名称 分类名称",
        "price": "sale_price offers.price price offers.lowPrice unit_price selling_price current_price price_amount "
        "retail_price final_price amount 促销价 现价 售价 价格 单价 销售价 商品价格 折扣价 成交价 优惠价",
        "list_price": "list_price original_price msrp rrp counter_price market_price compare_at_price was_price "
        "regular_price strike_price highPrice 原价 市场价 划线价 吊牌价 标价 参考价",
        "currency": "currency offers.priceCurrency price_currency currency_code 币种 货币",
        "stock": "stock current_stock inventory stock_quantity quantity qty inventory_quantity quantity_available "
        "inventory_level offers.inventoryLevel.value sell_on_google_quantity 库存 库存量 库存数量 现货数量",
        "availability": "availability offers.availability stock_status in_stock is_available available on_sale "
        "is_on_sale status 状态 上架状态 库存状态 是否有货 是否上架 在售",
        "image": "image image[0] image_link image_url img main_image images images[0] picture pic_url img_url "
        "thumbnail picture_url image.url imurl 图片 主图 商品图片 图片地址 图片链接",
        "url": "url link product_url offers.url canonical_link mobile_link product_link permalink 链接 商品链接 网址",
        "rating": "rating aggregateRating.ratingValue average_rating avg_rating stars score product_rating 评分 "
        "平均评分 星级 好评率",
        "rating_count": "rating_count aggregateRating.ratingCount aggregateRating.reviewCount review_count "
        "reviews_count num_reviews ratings_total number_of_reviews 评论数 评价数 评分人数 评价数量",
        "attributes": "attributes additionalProperty specs specifications properties product_detail options 属性 "
        "规格参数 参数",
    },
    "events": {
        "event_id": "event_id id message_id uuid insert_id 事件id 事件编号 日志id",
        "type": "type event_type action_name event_name event action behavior behaviour_type behavior_type "
        "behaviour interaction interaction_type activity 行为 行为类型 事件 事件类型 动作 操作",
        "shopper": "shopper user_id client_id user_pseudo_id customer_id user visitor_id visitorid customer "
        "member_id uid cid cookie_id device_id person_id buyer_id reviewer_id 用户 用户id 用户编号 会员id "
        "会员编号 买家 买家id 顾客",
        "session": "session session_id user_session ga_session_id visit_id invoice_no invoice order_id order_no "
        "transaction_id ecommerce.transaction_id basket_id order 会话 会话id 订单号 订单编号 订单id",
        "product": "product product_id item_id event_attributes.object.object_id object_id items.item_id "
        "items[0].item_id sku asin stock_code goods_id itemid article_id product_code productid movie_id "
        "content_id parent_asin 商品 商品id 商品编号 商品编码 货号 产品id 宝贝id",
        "query_id": "query_id search_id request_id 查询id 搜索id",
        "position": "position event_attributes.position.ordinal rank slot index item_list_index items[0].index "
        "event_attributes.position 位置 排名",
        "quantity": "quantity qty count items[0].quantity num number_of_items units 数量 件数 购买数量",
        "price": "price unit_price item_price sale_price items[0].price unit_cost amount 单价 价格 成交价 实付单价",
        "time": "time timestamp event_timestamp event_time invoice_date date datetime created_at ts order_date "
        "time_stamp unixtime unix_time occurred_at server_time 时间 时间戳 日期 下单时间 发生时间 行为时间 "
        "创建时间",
        "device": "device device.category device_type platform user_agent 设备 终端 设备类型 平台",
        "place": "place country city region geo.country geo.city location shipping_country 国家 城市 地区 省份 地点",
    },
    "queries": {
        "query_id": "query_id qid id search_id topic_id 查询id 查询编号 编号",
        "text": "text query query_text search_term keyword keywords search_query user_query q 查询 查询词 搜索词 "
        "关键词",
    },
    "judgments": {
        "query_id": "query_id qid query search_id topic_id topic 查询id 查询编号 查询",
        "product": "product product_id docid doc_id item_id document_id document asin sku doc pid 商品 商品id 商品编号",
        "grade": "grade judgment judgement relevance rating label rel score esci_label gain 等级 相关性 标注 评分 分数",
    },
    "reviews": {
        "id": "id review_id comment_id 评论id 评论编号 评价id 编号",
        "product": "product product_id item_id asin itemReviewed.sku sku goods_id value_id parent_asin stock_code "
        "商品 商品id 商品编号",
        "shopper": "shopper user_id user author author.name reviewer_id reviewerid customer_id customer user_name "
        "username 用户 用户id 用户名 昵称 买家",
        "text": "text review review_text reviewBody review_body content comment body message 评论 评论内容 评价 "
        "评价内容 内容",
        "rating": "rating stars star reviewRating.ratingValue overall star_rating score 评分 星级 打分 分数",
        "time": "time date timestamp review_date datePublished created_at unixReviewTime add_time review_time 时间 "
        "评论时间 评价时间 日期 创建时间",
    },
    "faq": {
        "question": "question q title name prompt 问题 提问 问",
        "answer": "answer a acceptedAnswer.text reply response content 答案 回答 回复 答",
    },
    "policies": {
        "id": "id policy_id 政策id 编号",
        "title": "title name heading topic 标题 名称 主题",
        "text": "text content body policy 正文 内容 条款",
        "valid_from": "valid_from effective_from from start start_date validFrom 生效日期 生效时间 开始日期",
        "valid_until": "valid_until effective_until until end end_date validThrough expires 失效日期 失效时间 截止日期",
    },
    "dialogues": {
        "conversation": "conversation conversation_id dialogue_id session_id ticket_id chat_id 会话 会话id 会话编号",
        "role": "role speaker sender author from who 角色 发言人 说话人",
        "text": "text message utterance content body 内容 消息 文本 话术",
        "time": "time timestamp date created_at sent_at 时间 发送时间",
        "intent": "intent label tag category 意图 标签",
    },
}
"""Names in order of preference: schema.org, Google Merchant, GA4 e-commerce, UBI 1.3, Chinese exports, public dumps."""


def normalised(name: str) -> str:
    """Lower case, letters, digits and Han only: InvoiceNo, invoice_no and "Invoice No" are one name.

    >>> normalised(" Invoice No."), normalised("offers.price"), normalised("商品 编号")
    ('invoiceno', 'offersprice', '商品编号')
    """
    return re.sub(r"[\W_]+", "", name.lower())


@cache
def _table(family: str) -> dict[str, dict[str, float]]:
    """Canonical column → normalised raw name → how sure, from 1 down in order of preference."""
    return {
        column: {normalised(name): round(1 - 0.3 * place / len(names.split()), 3) for place, name in
                 reversed(list(enumerate(names.split())))}
        for column, names in KNOWN[family].items()
    }  # fmt: skip


def score(family: str, column: str, raw: str) -> float:
    """How surely the name `raw` alone means the canonical `column`, from 0 to 1.

    >>> score("products", "id", "id"), score("products", "id", "colour")
    (1.0, 0.0)
    """
    names, plain = _table(family).get(column, {}), normalised(raw)
    if any(plain in other for other in _table(family).values()):
        return names.get(plain, 0.0)
    shorter = re.sub(r"^(product|item|goods|event|商品|产品)|(cn|en|zh|text|value|usd)$", "", plain)
    return 0.7 * names.get(shorter, 0.0) if len(shorter) > 1 else 0.0


def canonical(family: str, raw: str) -> str | None:
    """The canonical column that `raw` most surely means, if any."""
    best = max(KNOWN[family], key=lambda column: score(family, column, raw))
    return best if score(family, best, raw) > 0 else None


def is_known(family: str, raw: str) -> bool:
    """Whether any canonical column of the family goes by this name."""
    return canonical(family, raw) is not None
