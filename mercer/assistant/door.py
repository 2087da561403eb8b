"""A customer's message in; an answer from evidence, an action to confirm, or a hand-over to a person, out."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mercer.assistant.answer import Answer, Ask, Language, Sentence, Source
from mercer.assistant.aspect import aspect
from mercer.assistant.errand import Errands, Wish
from mercer.assistant.guard import abusive, folded, instructs, quotable
from mercer.assistant.handover import Desk
from mercer.assistant.knowledge import holds
from mercer.assistant.memory import Memory, State
from mercer.assistant.message import ORDERS, SMALL, Part, Reading, read
from mercer.assistant.model import Found, Model
from mercer.assistant.phrase import Phraser
from mercer.assistant.product import HANDLERS, Products, Question
from mercer.assistant.reply import Reply
from mercer.assistant.say import said
from mercer.assistant.settings import AssistantSettings
from mercer.assistant.tool import Pending
from mercer.encode import language_of
from mercer.errors import RequestError
from mercer.records import Shopper

__all__ = ["Assistant"]

YES = frozenset((
    "yes", "y", "yes please", "yes, please", "yep", "ok", "okay", "sure", "confirm", "confirmed", "i confirm",
    "go ahead", "do it", "please do", "是", "是的", "确认", "好", "好的", "对", "对的", "可以", "确定", "行",
    "嗯", "同意", "没错", "是，确认",     "确认取消", "确认退货", "确认修改",
))  # fmt: skip
"""Nothing else confirms: a yes among other words may be about something else."""
NO = frozenset((
    "no", "n", "nope", "no thanks", "no, thanks", "don't", "do not", "never mind", "stop", "leave it",
    "不", "不用", "不用了", "算了", "不要", "否", "先不要", "不是", "不确认", "别",
))  # fmt: skip
ASKING = ("how ", "can i ", "could i", "what ", "until when", "怎么", "如何", "可以", "能", "吗", "？", "?")
OWN = ("my order", "my parcel", "my purchase", "my refund", "我的", "帮我", "please cancel")
"""What asks how it goes in general, and what speaks of an order of one's own."""
NAMED = 0.7
"""Share of its words from which a message names a product whatever else it was taken for. A guess, as the next."""
GENERAL = 0.75
"""Chance of a passage from which a question about orders is one about the rules. A guess, settled by the judged set."""
LISTS = 6
"""Messages and answers remembered to see a loop."""


class Knows(Protocol):
    """The part of an index that says which ids there are."""

    def ids(self) -> list[str]: ...


class Assistant:
    """Call it with an `Ask`. Safe to call from several threads."""

    def __init__(
        self,
        model: Model,
        encode: Callable[[Sequence[str]], NDArray[np.float32]],
        *,
        products: Products,
        errands: Errands,
        memory: Memory,
        desk: Desk,
        known: Callable[[], Container[str]],
        shopper: Callable[[str], Shopper],
        settings: AssistantSettings | None = None,
        phraser: Phraser | None = None,
        clock: Callable[[], float] = time.time,
        version: str = "",
    ) -> None:
        self.model, self.version, self.settings = model, version, settings or AssistantSettings()
        self.memory, self.desk = memory, desk
        self._encode, self._products, self._errands, self._known = encode, products, errands, known
        self._shopper, self._phraser, self._clock = shopper, phraser, clock

    def __call__(self, ask: Ask) -> Answer:
        """Answer one message.

        Raises:
            RequestError: the message is empty, too long, or no text.
        """
        text = self._readable(ask.text) if not ask.confirm else ask.text.strip()
        id, state = self.memory.begin(ask.conversation, ask.shopper)
        language: Language = "zh" if (ask.language or language_of(text)) == "zh" else "en"
        reading: Reading | None = None
        reply = self._before(text, ask, state, language)
        intents: tuple[str, ...] = (reply.intent,) if reply is not None else ()
        if reply is None:
            reading = read(text, self.model.head, self._encode, known=self._known(), language=ask.language)
            language = reading.language
            reply, intents = self._answered(reading, ask, state)
        reply = self._settled(reply, state, text, language)
        sentences, phrased = self._phrased(text, reply, language)
        answer = Answer(
            id, language, sentences, tuple(reply.sources.values()), intents, tuple(reply.products), reply.action,
            reply.handover, phrased, state.ended, reply.degraded,
            reading.entities.told() if reading else {}, reading.sentiment if reading else "neutral",
        )  # fmt: skip
        if ask.confirm and not text:
            text = "✓"
        self.memory.keep(id, ask.shopper, state, {"shopper": text, "assistant": answer.text})
        if reply.handover and not state.handed:
            state.handed = True
            self.desk.call(id, reply.handover, text, answer, self.memory.history(id))
        return answer

    def _readable(self, text: str) -> str:
        plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
        if not plain or not any(sign.isalnum() for sign in plain):
            raise RequestError("the message has no words", cure="ask in words, Chinese or English")
        if len(plain) > self.settings.longest:
            raise RequestError(f"the message has {len(plain)} characters", cure=f"give at most {self.settings.longest}")
        return plain

    def _before(self, text: str, ask: Ask, state: State, language: Language) -> Reply | None:
        """What is answered before anything is understood: ends, insults, orders to a model, a yes or no."""
        state.turns += 1
        pending, state.pending = state.offer(), {}  # an offer holds for the next message only
        if state.ended or state.turns > self.settings.turns:
            state.ended = True
            return Reply(intent="end").says(said("long", language))
        return self._unfit(text, state, language) or self._confirmed(text, ask, pending, language)

    def _unfit(self, text: str, state: State, language: Language) -> Reply | None:
        if instructs(text):
            return Reply(intent="instruction").says(said("instruction", language))
        if not abusive(text):
            return None
        state.abuse += 1
        if state.abuse < self.settings.repeats:
            return Reply(intent="abuse").says(said("abuse", language))
        state.ended = True
        return Reply(intent="abuse", handover="abuse").says(said("abuse_end", language))

    def _confirmed(self, text: str, ask: Ask, pending: Pending | None, language: Language) -> Reply | None:
        """A yes or no to what was offered; by the token of a button, that token and no other."""
        if ask.confirm:
            right = pending if pending is not None and pending.token == ask.confirm else None
            return _as("affirm", self._errands.confirm(right, ask.shopper, language))
        plain = folded(text).strip(" .!。！~")
        if pending is not None and plain in YES:
            return _as("affirm", self._errands.confirm(pending, ask.shopper, language))
        if pending is not None and plain in NO:
            return Reply(intent="deny").says(said("left", language))
        return None

    def _answered(self, reading: Reading, ask: Ask, state: State) -> tuple[Reply, tuple[str, ...]]:
        whole, intents = Reply(), []
        for part in reading.parts:
            one = self._part(part, reading, ask, state)
            intents.append(one.intent or part.intent)
            whole.joined(one)
        state.intent = intents[-1]
        return whole, tuple(intents)

    def _part(self, part: Part, reading: Reading, ask: Ask, state: State) -> Reply:
        language, intent = reading.language, part.intent
        if state.wanted and (reading.entities.orders or (state.wanted == "change_address" and intent not in ORDERS)):
            intent = state.wanted
        if intent in ORDERS and not self._general(part, language):
            wish = Wish(intent, part.text, reading.entities, ask.shopper, language)
            return _as(intent, self._errands(wish, state))
        if intent in ("human", "complaint"):
            return Reply(handover="asked" if intent == "human" else "complaint").says(said(intent, language))
        if intent in SMALL:
            return Reply().says(said({"affirm": "nothing_offered", "deny": "left"}.get(intent, intent), language))
        if intent in HANDLERS:
            return self._product(part, intent, reading, ask, state)
        return self._ruled(part, language) or self._shelved(part, reading, ask, state) or self._unknown(part, language)

    def _product(self, part: Part, intent: str, reading: Reading, ask: Ask, state: State) -> Reply:
        """From the catalogue; where it has nothing, the shop's rules may."""
        question = Question(part.text, reading.language, reading.entities, self._shopper(ask.shopper))
        if intent in ("product_find", "compare") and aspect(part.text) and self._products.one(question, state):
            intent = "product_detail"
        reply: Reply = getattr(self._products, HANDLERS[intent])(question, state)
        if reply.intent != "none" and not reply.handover:
            return _as(intent, reply)
        ruled = self._ruled(part, reading.language)
        if ruled is not None:
            return ruled
        return _as(intent, reply) if part.familiar or reply.handover else self._unknown(part, reading.language)

    def _shelved(self, part: Part, reading: Reading, ask: Ask, state: State) -> Reply | None:
        """What was taken for something else, but names a product of the shop with nearly all of its words."""
        matches = self._products.shelf.find(part.text, self._shopper(ask.shopper))
        if not matches or matches[0].share < NAMED:
            return None
        return self._product(part, "product_detail" if aspect(part.text) else "product_find", reading, ask, state)

    def _ruled(self, part: Part, language: Language) -> Reply | None:
        """The passage that answers, word for word; None where none surely does."""
        found = self.policy(part, language)
        return (
            _as("policy", _cited(found[0], language))
            if found and found[0].chance >= self.settings.answer_from
            else None
        )

    def _unknown(self, part: Part, language: Language) -> Reply:
        """What is no business of a shop is said to be that; what is, but is not known, goes to a person."""
        if part.intent == "other" or not part.familiar:
            return Reply(intent="other").says(said("other", language))
        return Reply(handover="unknown").says(said("unknown", language))

    def policy(self, part: Part, language: Language) -> list[Found]:
        """Passages that hold today, those in the customer's language before the same in another."""
        now = int(self._clock() * 1000)
        found = [one for one in self.model.matcher(part.text, part.vector, 12) if holds(one.entry, now)]
        found = [one for one in found if quotable(one.entry.text)]
        own = [one for one in found if one.entry.language == language]
        return own + [one for one in found if one.entry.language != language] if own and own[0].chance >= 0.3 else found

    def _general(self, part: Part, language: Language) -> bool:
        """Whether a wish about orders asks how it goes in general, rather than to have it done."""
        plain = part.text.lower()
        if any(word in plain for word in OWN) or not any(word in plain for word in ASKING):
            return False
        found = self.policy(part, language)
        return bool(found) and found[0].chance >= max(self.settings.answer_from, GENERAL)

    def _settled(self, reply: Reply, state: State, text: str, language: Language) -> Reply:
        """See loops, and never answer with nothing."""
        if not reply.sentences:
            reply.handover = reply.handover or "unknown"
            reply.says(said("unknown", language))
        plain, most = self.memory.digest(folded(text)), self.settings.repeats
        state.heard = [*state.heard, plain][-LISTS:]
        told = self.memory.digest(" ".join(sentence.text for sentence in reply.sentences))
        state.answered = [*state.answered, told][-LISTS:]
        again = state.heard[-most:].count(plain) >= most or state.answered[-most - 1 :].count(told) > most
        if again and not reply.handover and not state.ended:
            loop = Reply(handover="loop", intent=reply.intent, products=reply.products)
            state.heard, state.answered = [], []
            return loop.says(said("loop", language))
        return reply

    def _phrased(self, text: str, reply: Reply, language: Language) -> tuple[tuple[Sentence, ...], bool]:
        """The composed sentences, or an outside model's where they say no more than the sources do."""
        composed = tuple(reply.sentences)
        if self._phraser is None or reply.action or reply.handover or not reply.sources:
            return composed, False
        other, problem = self._phraser(text, composed, tuple(reply.sources.values()), language)
        reply.degraded = reply.degraded or problem
        return (other, True) if other else (composed, False)


def _as(intent: str, reply: Reply) -> Reply:
    reply.intent = intent
    return reply


def _cited(found: Found, language: Language) -> Reply:
    entry = found.entry
    source = Source(entry.id, entry.kind, entry.title, entry.text)
    text = " ".join(entry.text.split("\n"))
    return Reply().says(
        said("cited" if entry.language == language else "foreign", language, entry.id, text=text), source
    )
