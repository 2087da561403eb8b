"""A shop's doors and a customer's message in; an answer whose every sentence names its source out."""

from __future__ import annotations

from mercer.assistant.answer import Answer, Ask, Sentence, Source
from mercer.assistant.door import Assistant
from mercer.assistant.open import LiveAssistant, open_assistant
from mercer.assistant.settings import AssistantSettings

__all__ = ["Answer", "Ask", "Assistant", "AssistantSettings", "LiveAssistant", "Sentence", "Source", "open_assistant"]
