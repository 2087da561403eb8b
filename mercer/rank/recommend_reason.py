"""What made most of a recommendation's score in, a short reason that is true by construction out."""

from __future__ import annotations

__all__ = ["recommend_reason"]

ENGLISH = {
    "viewed": "Because you viewed {title}",
    "bought": "Because you bought {title}",
    "also": "Shoppers of {title} also chose this",
    "together": "Often bought with {title}",
    "content": "Similar to {title}",
    "week": "Popular this week",
    "popular": "Popular in this shop",
    "rising": "Rising this week",
    "rose": "Rising lately in this shop",
    "kind": "Of the same kind as {title}",
    "brand": "Of the same brand as {title}",
    "wanted": "You asked for this",
    "context": "Chosen more than usual at such times and places",
    "occasion": "Made for this occasion",
    "again": "You bought this {ago} days ago; it is often bought again after about {days}",
    "new": "Few have found this yet",
}
CHINESE = {
    "viewed": "因为你看过{title}",
    "bought": "因为你买过{title}",
    "also": "看过{title}的人也选了它",
    "together": "常与{title}一起买",
    "content": "与{title}相似",
    "week": "本周热门",
    "popular": "本店热门",
    "rising": "本周上升",
    "rose": "本店近期上升",
    "kind": "与{title}同类",
    "brand": "与{title}同品牌",
    "wanted": "您说过想要",
    "context": "此时此地更常被选",
    "occasion": "适合这个场合",
    "again": "您 {ago} 天前买过；通常约 {days} 天后会再买",
    "new": "还很少有人发现",
}
LONGEST = 40
"""Characters of a title inside a reason."""


def recommend_reason(kind: str, title: str = "", *, chinese: bool, ago: float = 0, days: float = 0) -> str:
    """Word a reason; without the title that it needs there is none. Of a repeat: days since, and days that are usual.

    >>> recommend_reason("together", "Tea pot", chinese=False)
    'Often bought with Tea pot'
    >>> recommend_reason("viewed", "茶壶", chinese=True)
    '因为你看过茶壶'
    >>> recommend_reason("viewed", "", chinese=False)
    ''
    """
    form = (CHINESE if chinese else ENGLISH).get(kind, "")
    if "{title}" in form and not title:
        return ""
    short = title if len(title) <= LONGEST else title[: LONGEST - 1].rstrip() + "…"
    return form.format(title=short, ago=round(ago), days=round(days))
