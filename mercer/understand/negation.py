"""A query in, what the shopper does not want out; then a product in, whether it has or disclaims that, out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mercer.records import Product
from mercer.understand.normalise import HAN, simplified, stem, traditional

__all__ = ["Negated", "Without", "negations"]

LONGEST = 3
"""Words that one negation reaches over in English, characters it does where Chinese says no end."""

_STOP = (
    "with without for and but in on at by of from to under below over above that which who is are size "
    "women men kids women's men's"
)
_ENGLISH = re.compile(
    r"(?<![\w-])(?<!\bor )(without|with no|w/o|free of|excluding|no)\s+(?:any\s+|a\s+|an\s+|the\s+)?", re.I
)
_WORD = re.compile(r"[a-z0-9][\w'’-]*", re.I)
_NEXT = re.compile(r"\s*(?:,|\bor\b|\bnor\b)\s*", re.I)
_HAN_NO = "不含有|不含|不带|不要|不加|不添加|没有|未添加"
_SUBSTANCE = "酒精|香精|硅油|蔗糖|糖|添加剂?|防腐剂?|乳糖|麸质|咖啡因|荧光剂|甲醛|钢圈|色素|盐|油烟|人工色素"
"""What 无 and 零 negate: as in 无糖. Everything else, as in 无线 and 无人机, is the name of a thing."""
_CHINESE = re.compile(rf"({_HAN_NO})\s*([{HAN}A-Za-z]+)|(?<![0-9.])(无|零|0)\s*({_SUBSTANCE})")
_FREE = ("no", "without", "non", "zero", "never")
_BEFORE = re.compile(rf"\b(?:{'|'.join(_FREE)})\b[\W_]*(?:[a-z0-9'’]+[\W_]+){{0,2}}$")
_AFTER = re.compile(r"[\W_]?free\b")
_HAN_BEFORE = re.compile(r"(?:不含有?|不带|不加|没有|添加|无|零|0|免|去|非|脱)\s*$")


@dataclass(frozen=True, slots=True)
class Negated:
    """One thing that the shopper does not want."""

    words: str
    start: int
    end: int
    """Characters of the query that say so."""
    keep: bool
    """Whether they stay in the text that the arm of meaning is asked: at its head they may be a name."""


def negations(text: str) -> list[Negated]:
    """What a query wants to be without; "sugar-free" wants a kind of product, and negates nothing.

    >>> [one.words for one in negations("paper bags without handles")], negations("sugar-free gum")
    (['handles'], [])
    >>> [one.words for one in negations("不含酒精的洗手液")], negations("无线耳机")
    (['酒精'], [])
    """
    found = [negated for match in _ENGLISH.finditer(text) for negated in _english(text, match)]
    for match in _CHINESE.finditer(text):
        words = match[4] or _reach(match[2])
        start, end = match.start(), match.start(4 if match[4] else 2) + len(words)
        if text[end : end + 1] == "的":
            end += 1
        if words:
            found.append(Negated(words, start, end, keep=match[3] is not None))
    return found


def _english(text: str, match: re.Match[str]) -> list[Negated]:
    """The words after the negation up to one that ends its reach, and those that "or" joins to them."""
    no = match[1].lower() == "no"
    found: list[Negated] = []
    at = match.end()
    leading = not _WORD.search(text[: match.start()])
    while True:
        words: list[str] = []
        end = at
        while len(words) < (1 if leading and no else LONGEST):
            word = _WORD.match(text, end)
            if not word or word.group().lower() in (*_STOP.split(), "or", "nor") or (no and not word.group().isalpha()):
                break
            words.append(word.group())
            end = word.end()
            while text[end : end + 1] == " ":
                end += 1
        if words:
            end = at + len(text[at:end].rstrip())
            start = match.start() if not found else found[-1].end
            found.append(Negated(" ".join(words), start, end, keep=leading))
        joined = _NEXT.match(text, end)
        if not words or not joined or not joined.group().strip():
            return found
        at = joined.end()


def _reach(run: str) -> str:
    """How far a Chinese negation reaches: to 的 or the end of a short run, else two characters."""
    if not re.match(f"[{HAN}]", run):
        return re.match(r"[A-Za-z]+", run)[0]  # type: ignore[index]  # the run begins with a letter
    run = re.split(r"[A-Za-z]", run)[0]
    head, of, _ = run.partition("的")
    if (of and len(head) <= 4) or len(head) <= LONGEST:
        return head
    return head[:2]


class Without:
    """Some negated words, ready to be looked for in many products.

    >>> without = Without(["handles"])
    >>> without(Product("1", "Paper bag with handle")), without(Product("2", "Handle-free bag"))
    ((True, False), (False, True))
    """

    def __init__(self, negated: Iterable[str]) -> None:
        self._wanted = [_Phrase.of(words) for words in negated]

    def __call__(self, product: Product) -> tuple[bool, bool]:
        """Whether its title has one of them and disclaims none, and whether any of its text disclaims one."""
        return self.said(product.title, product.bullets, product.description)

    def said(self, title: str, bullets: str, description: str) -> tuple[bool, bool]:
        """As for the product that these are of."""
        text = f"{title} . {bullets} . {description}".lower()
        in_text = [phrase(text) for phrase in self._wanted]
        if not any(has or free for has, free in in_text):  # as most products: their titles need not be read again
            return False, False
        title = title.lower()
        has = any(has and not free for has, free in (phrase(title) for phrase in self._wanted))
        return has, any(free for _, free in in_text)


def _plain(text: str) -> str:
    return simplified(text).lower()


@dataclass(frozen=True, slots=True)
class _Phrase:
    pattern: re.Pattern[str]
    stems: Sequence[str]
    """Of an English phrase; empty for a Chinese one."""

    @classmethod
    def of(cls, words: str) -> _Phrase:
        words = _plain(words)
        if re.search(f"[{HAN}]", words):
            return cls(re.compile("".join(map(_written, words))), ())
        each = re.findall(r"[a-z0-9]+", words)
        heads = [*map(_head, each)]
        begins = [rf"{head}(?<!\w{head})" if at == 0 else head for at, head in enumerate(heads)]  # \b, but faster
        said = r"[\W_]+".join(begin + r"[a-z0-9]*" for begin in begins)
        return cls(re.compile(rf"{said}\b" if heads else r"(?!)"), [*map(stem, each)])

    def __call__(self, text: str) -> tuple[bool, bool]:
        """Whether it stands somewhere as it is, and somewhere as not there; the text is lower case."""
        has = free = False
        for match in self.pattern.finditer(text):
            before = text[max(0, match.start() - 40) : match.start()]
            if not self.stems:
                said = bool(_HAN_BEFORE.search(simplified(before)))
            else:
                found = re.findall(r"[a-z0-9]+", match.group())
                less = len(found) == 1 and found[0] in (f"{self.stems[0]}less", f"{self.stems[0]}eless")
                if not less and [*map(stem, found)] != [*self.stems]:
                    continue
                said = less or bool(_BEFORE.search(before)) or bool(_AFTER.match(text, match.end()))
            has, free = has or not said, free or said
        return has, free


def _written(character: str) -> str:
    """A pattern of every character that is this one when simplified: 600 texts need not be simplified for one query."""
    others = traditional(character)
    return re.escape(others) if len(others) == 1 else f"[{re.escape(others)}]" if others else r"(?!)"


def _head(word: str) -> str:
    """Letters with which every form of a word begins: "batter" of batteries, since its stem is batteri."""
    root = stem(word)
    same = next((at for at, (one, other) in enumerate(zip(word, root, strict=False)) if one != other), len(root))
    return word[:same].rstrip("iy") or word[:1]
