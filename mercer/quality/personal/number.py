"""Digits in; whether their check digit, area or issuer is right out."""

from __future__ import annotations

import datetime

__all__ = ["is_area_code", "is_bank_card", "is_identity_card", "luhn"]

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""GB 11643-1999, modulo 11-2."""
_PROVINCES_TEXT = """
11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81
82 83 91
"""
PROVINCES = frozenset(_PROVINCES_TEXT.split())
"""GB/T 2260, first two digits; 83 is Taiwan's residence permit, 91 a foreigner's."""


def is_identity_card(number: str, *, checked: bool = True) -> bool:
    """A resident's number of 18 characters (or 15, before 1999): province, day of birth, check digit.

    >>> is_identity_card("11010519491231002X"), is_identity_card("110105194912310021")
    (True, False)
    """
    if len(number) not in (15, 18) or number[:2] not in PROVINCES:
        return False
    day = number[6:14] if len(number) == 18 else "19" + number[6:12]
    if not _is_day(day):
        return False
    if len(number) == 15 or not checked:
        return True
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def _is_day(day: str) -> bool:
    try:
        born = datetime.date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2100


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1, annex B.

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    digits = [int(digit) for digit in reversed(number)]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def is_bank_card(number: str) -> bool:
    """Issuer and length fit (UnionPay, Visa, Mastercard, American Express, JCB, Discover), and so does the digit."""
    length, head = len(number), int(number[:4])
    known = (
        (number.startswith("62") and 16 <= length <= 19)
        or (number[0] == "4" and length == 16)
        or (length == 16 and (5100 <= head <= 5599 or 2221 <= head <= 2720 or 3528 <= head <= 3589 or head == 6011))
        or (length == 15 and number[:2] in ("34", "37"))
        or (length in (16, 19) and number[:2] in ("60", "65", "68", "95", "94", "90"))
    )
    listed = sum(digit == "0" for digit in number[3::4]) > 2  # "5500 6500 7000 7550" is a list of models
    return known and not listed and len(set(number)) > 2 and luhn(number)


def is_area_code(code: str) -> bool:
    """010, 02x, and 03xx to 09xx of the Chinese network; 0800 and 0900 are none.

    >>> is_area_code("010"), is_area_code("0755"), is_area_code("0800"), is_area_code("012")
    (True, True, False, False)
    """
    if len(code) == 3:
        return code == "010" or (code[1] == "2" and code[2] != "6")
    return len(code) == 4 and code[1] in "3456789" and code[2] != "0"
