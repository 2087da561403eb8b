"""A browser's language in; every phrase of the storefront in that language out."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LANGUAGES", "Words", "choose"]

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
"""Code of the interface language, and its own name."""

PHRASES: Mapping[str, tuple[str, str]] = {
    "skip": ("Skip to the content", "跳到正文"),
    "home": ("Home", "首页"),
    "search": ("Search", "搜索"),
    "search_label": ("Search the shop", "搜索本店"),
    "search_hint": ("What are you looking for?", "想找点什么？"),
    "suggestions": ("Suggestions", "搜索建议"),
    "language": ("Language", "语言"),
    "categories": ("Categories", "商品分类"),
    "for_you": ("Chosen for you", "为你挑选"),
    "for_you_note": ("It changes with everything you look at.", "看得越多，推荐越懂你。"),
    "welcome": ("Good things, well found", "好物，一寻即得"),
    "welcome_note": ("Look around: this page learns from every click.", "随便逛逛：你的每次点击都会让这里更合心意。"),
    "trending": ("Popular now", "近期热门"),
    "seen": ("You looked at", "最近看过"),
    "results_for": ("Results for “{query}”", "“{query}”的搜索结果"),
    "everything": ("All products", "全部商品"),
    "count_one": ("{count} product", "{count} 件商品"),
    "count": ("{count} products", "{count} 件商品"),
    "corrected": ("Showing results for “{query}”.", "已为你显示“{query}”的结果。"),
    "as_typed": ("Search instead for “{query}”", "仍然搜索“{query}”"),
    "did_you_mean": ("Did you mean", "你要找的是不是"),
    "degraded": (
        "Part of the search did not answer, so this list may be incomplete.",
        "部分搜索服务未响应，结果可能不完整。",
    ),
    "banner": ("From the shop", "本店消息"),
    "filters": ("Filters", "筛选"),
    "clear": ("Clear all", "清除全部"),
    "remove": ("Remove filter {name}", "移除筛选条件 {name}"),
    "category": ("Category", "分类"),
    "brand": ("Brand", "品牌"),
    "price": ("Price", "价格"),
    "price_from": ("Lowest price", "最低价"),
    "price_to": ("Highest price", "最高价"),
    "apply": ("Apply", "确定"),
    "above": ("from {low}", "{low} 以上"),
    "below": ("up to {high}", "{high} 以下"),
    "in_stock_only": ("In stock only", "仅看有货"),
    "sort": ("Sort by", "排序"),
    "relevance": ("Best match", "综合"),
    "price_up": ("Price, lowest first", "价格从低到高"),
    "price_down": ("Price, highest first", "价格从高到低"),
    "rating": ("Rating", "评分"),
    "pages": ("Pages", "分页"),
    "previous": ("Previous", "上一页"),
    "next": ("Next", "下一页"),
    "page": ("Page {page}", "第 {page} 页"),
    "nothing": ("Nothing found for “{query}”", "没有找到“{query}”"),
    "nothing_filters": ("Nothing meets all of these filters", "没有同时符合这些条件的商品"),
    "try": ("What may help", "不妨试试"),
    "try_fewer": ("Use fewer or more general words.", "换用更少、更宽泛的词。"),
    "try_spelling": ("Check the spelling, or say it in another language.", "检查一下有没有错字，或换一种语言。"),
    "try_filters": ("Search again without filters", "去掉筛选条件再搜"),
    "instead": ("Popular right now", "大家都在看"),
    "out_of_stock": ("Sold out", "暂时缺货"),
    "in_stock": ("In stock", "有货"),
    "few_left": ("Only {count} left", "仅剩 {count} 件"),
    "preorder": ("Pre-order", "预售"),
    "was": ("before", "原价"),
    "reduced": ("{percent}% off", "降 {percent}%"),
    "add": ("Add to cart", "加入购物车"),
    "added": ("Added to cart", "已加入购物车"),
    "failed": ("That did not work. Please try again.", "操作未成功，请再试一次。"),
    "said": ("What buyers say", "买家怎么说"),
    "said_counts": ("{good} good, {bad} bad", "好评 {good}，差评 {bad}"),
    "said_delivery": ("Delivery", "物流"),
    "said_quality": ("Quality", "质量"),
    "said_price": ("Price", "价格"),
    "said_packaging": ("Packaging", "包装"),
    "said_service": ("Service", "客服"),
    "said_size": ("Size", "尺码"),
    "said_appearance": ("Looks", "外观"),
    "said_battery": ("Battery", "电池"),
    "said_performance": ("Performance", "性能"),
    "said_taste": ("Taste", "口味"),
    "said_comfort": ("Comfort", "舒适"),
    "details": ("Details", "商品参数"),
    "about": ("About this product", "商品介绍"),
    "similar": ("Similar products", "相似商品"),
    "together": ("Bought together", "一起购买"),
    "rated": ("{rating} of 5", "{rating} 分（满分 5 分）"),
    "ratings": ("{count} ratings", "{count} 条评价"),
    "path": ("Where you are", "当前位置"),
    "sku": ("Product number", "商品编号"),
    "wrong": ("This did not work", "出了点问题"),
    "missing": ("There is nothing here", "这里什么都没有"),
    "back_home": ("Back to the home page", "回到首页"),
    "footer": ("Search and recommendation by Mercer, on this machine.", "搜索与推荐由掌柜在本机提供。"),
    "api": ("For programs: API", "开发者：API"),
    "ask": ("Ask the shop", "咨询客服"),
    "ask_label": ("Your question", "你的问题"),
    "ask_send": ("Send", "发送"),
    "ask_close": ("Close", "关闭"),
    "ask_new": ("Start over", "重新开始"),
    "ask_log": ("Conversation", "对话"),
    "ask_shopper": ("You", "你"),
    "ask_assistant": ("Assistant", "智能客服"),
    "ask_agent": ("A person from the shop", "人工客服"),
    "ask_hello": (
        "Hello! Ask me about products, prices, delivery, returns or your orders.",
        "您好！商品、价格、配送、退换货和订单，都可以问我。",
    ),
    "ask_try_delivery": ("How long does delivery take?", "多久能送到？"),
    "ask_try_return": ("How do I send something back?", "怎么退货？"),
    "ask_try_order": ("Where is my order?", "我的订单到哪了？"),
    "ask_waiting": ("Answering …", "正在回答……"),
    "ask_sources": ("Where this is from ({count})", "依据（{count}）"),
    "ask_cancel_order": ("Yes, cancel the order", "确认取消订单"),
    "ask_return_order": ("Yes, send it back", "确认退货"),
    "ask_change_address": ("Yes, change the address", "确认修改地址"),
    "ask_yes": ("Yes", "确认"),
    "ask_no": ("No, leave it", "先不要"),
    "ask_no_text": ("no", "不用"),
    "ask_done": ("Done", "已办理"),
    "ask_handed": (
        "A person from the shop has been called and sees this conversation. Their answer will appear here.",
        "已通知人工客服，对方能看到这段对话，回复会显示在这里。",
    ),
    "ask_ended": ("This conversation is over. Start over to ask more.", "本次对话已结束，点“重新开始”可继续提问。"),
    "ask_unread": (
        "I could not read that. Please ask in words, in one short message.",
        "没能读懂这条消息，请用文字简短地提问。",
    ),
    "ask_failed": (
        "There is no answer at the moment. Please send it again in a minute, or search the shop.",
        "暂时无法回答，请稍后再发一次，或直接搜索商品。",
    ),
    "ask_reload": (
        "This page is too old to send from, or cookies are blocked. Load it again, then ask.",
        "页面打开太久，或浏览器禁用了 Cookie。请刷新页面后再提问。",
    ),
    "empty_shop": ("This shop has no products yet.", "店里还没有商品。"),
}


class Words:
    """Phrases of one language.

    >>> Words("zh")("results_for", query="茶杯")
    '“茶杯”的搜索结果'
    """

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self._column = list(LANGUAGES).index(self.language)

    def __call__(self, phrase: str, **values: object) -> str:
        return PHRASES[phrase][self._column].format(**values)

    @property
    def tag(self) -> str:
        """For the lang attribute."""
        return "zh-Hans" if self.language == "zh" else "en"

    def counted(self, count: int) -> str:
        """How many products, in words."""
        return self("count_one" if count == 1 else "count", count=f"{count:,}")


def choose(cookie: str, accepted: str) -> str:
    """The language a browser wants: what was chosen here before, else the first known of Accept-Language.

    >>> choose("", "fr, zh-CN;q=0.8, en;q=0.9"), choose("zh", "en"), choose("xx", "")
    ('en', 'zh', 'en')
    """
    if cookie in LANGUAGES:
        return cookie
    wanted = []
    for place, part in enumerate(accepted[:500].split(",")):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            weight = 0.0
        wanted.append((-weight, place, tag.strip().lower().split("-")[0]))
    return next((language for _, _, language in sorted(wanted) if language in LANGUAGES), "en")
