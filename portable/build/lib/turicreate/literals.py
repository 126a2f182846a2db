"""Values in Turi Create's own text form, `[1,"a",{"b":2.5}]`: written and read.

The form is looser than JSON: strings need no quotes, dictionaries no commas, a vector's
numbers may be set apart by blanks or semicolons, and nothing stands for a missing value.
"""

import array
import datetime
import re

import numpy as np

_REAL = re.compile(
    r"[+-]?(?:(?:\d+\.\d*|\.\d+)(?:e[+-]?\d+)?|\d+e[+-]?\d+|inf(?:inity)?|nan)", re.IGNORECASE
)
_WHOLE = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE)
_HEXADECIMAL = re.compile(r"[+-]?0x[0-9a-f]+(?:\.[0-9a-f]*)?(?:p[+-]?\d+)?", re.IGNORECASE)
_SPACE = re.compile(r"\s*")
_BETWEEN_NUMBERS = re.compile(r"\s*[,;]|\s")
_BETWEEN_PAIRS = re.compile(r"\s*,|\s")
_LIST_ENDS = ",{}[]"
_DICT_ENDS = " ,\t{}[]:;"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0"}
_MOST, _LEAST = 2**63 - 1, -(2**63)


class NoLiteral(ValueError):  # noqa: N818
    """The text is no value of the wanted kind."""


def number_text(value):
    """Return a number as Turi Create writes it: six digits, no zeros at the end."""
    return str(int(value)) if isinstance(value, (int, np.integer)) else f"{float(value):g}"


def text_of(value, nested=False):
    """Return a value as text; strings inside of others are quoted, but not escaped.

    >>> text_of([1, "a", None, {"b": 2.5}])
    '[1,"a",,{"b":2.5}]'
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return f'"{value}"' if nested else value
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, array.array):
        return "[" + " ".join(map(number_text, value)) + "]"
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + ",".join(text_of(item, nested=True) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{text_of(k, nested=True)}:{text_of(v, nested=True)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    return date_text(value) if isinstance(value, datetime.datetime) else str(value)


def date_text(moment):
    """Return a date as `20200102T030405`, in the time of its own zone."""
    micros = f".{moment.microsecond:06}" if moment.microsecond else ""
    return f"{moment.year:04}{moment:%m%dT%H%M%S}{micros}"


def whole_number(text):
    """Return the integer of a text that is nothing else."""
    if not _WHOLE.fullmatch(text.lstrip()):
        raise NoLiteral(text)
    number = int(text)
    if number != _bounded(number):
        raise NoLiteral(text)
    return number


def _bounded(number):
    return min(max(number, _LEAST), _MOST)


def real_number(text):
    """Return the double of a text that is nothing else."""
    text = text.lstrip()
    if _HEXADECIMAL.fullmatch(text):
        return float.fromhex(text)
    if not _NUMBER.fullmatch(text):
        raise NoLiteral(text)
    return float(text)


def vector(text):
    """Return the vector that a text begins with, as an `array.array`."""
    return _Reader(text).whole(_Reader.vector)


def list_(text):
    """Return the list that a text begins with."""
    return _Reader(text).whole(_Reader.list)


def dict_(text):
    """Return the dictionary that a text begins with."""
    return _Reader(text).whole(_Reader.dict)


def any_but_text(text):
    """Return (value, end) of the number, vector, list or dictionary that a text begins with."""
    reader = _Reader(text)
    for parse in (_Reader.real, _Reader.long, _Reader.vector, _Reader.list, _Reader.dict):
        reader.at = 0
        reader.skip()
        try:
            return parse(reader), reader.at
        except NoLiteral:
            continue
    raise NoLiteral(text)


class _Reader:
    """A place in a text, from which values are read; a method that fails leaves it anywhere."""

    def __init__(self, text):
        self.text = text
        self.at = 0

    def whole(self, parse):
        self.skip()
        return parse(self)

    def skip(self):
        self.at = _SPACE.match(self.text, self.at).end()

    def match(self, pattern):
        found = pattern.match(self.text, self.at)
        if not found:
            raise NoLiteral(self.text)
        self.at = found.end()
        return found.group()

    def sign(self, sign):
        self.skip()
        if self.text[self.at : self.at + 1] != sign:
            raise NoLiteral(self.text)
        self.at += 1

    def is_at(self, signs):
        return self.at < len(self.text) and self.text[self.at] in signs

    def real(self):
        return float(self.match(_REAL))

    def long(self):
        number = int(self.match(_WHOLE))
        if number != _bounded(number):
            raise NoLiteral(self.text)
        return number

    def vector(self):
        self.sign("[")
        self.skip()
        numbers = array.array("d")
        if not self.is_at("]"):
            numbers.append(float(self.match(_NUMBER)))
            while True:
                before = self.at
                try:
                    self.match(_BETWEEN_NUMBERS)
                    self.skip()
                    numbers.append(float(self.match(_NUMBER)))
                except NoLiteral:
                    self.at = before
                    break
        self.sign("]")
        return numbers

    def list(self):
        self.sign("[")
        self.skip()
        items = []
        if self.is_at("]"):
            self.at += 1
            return items
        while True:
            items.append(self.element(_LIST_ENDS, ",]"))
            self.skip()
            if not self.is_at(","):
                break
            self.at += 1
        self.sign("]")
        return items

    def dict(self):
        self.sign("{")
        self.skip()
        pairs = {}
        while not self.is_at("}"):
            key = self.element(_DICT_ENDS, ":")
            self.sign(":")
            value = self.element(_DICT_ENDS, ",} \t\n\r")
            pairs[tuple(key) if isinstance(key, list) else key] = value
            before = self.at
            self.skip()
            if self.is_at("}"):
                break
            self.at = before
            self.match(_BETWEEN_PAIRS)
            self.skip()
        self.sign("}")
        return pairs

    def element(self, ends, follow):
        """Return one element that one of the signs `follow` comes after, as text at worst."""
        self.skip()
        start = self.at
        for parse in (_Reader.real, _Reader.long, _Reader.list, _Reader.dict):
            self.at = start
            try:
                value = parse(self)
            except NoLiteral:
                continue
            if " " not in follow:
                self.skip()
            if self.is_at(follow):
                return value
            break
        self.at = start
        return self.string(ends)

    def string(self, ends):
        """Return a quoted text, or one up to a sign of `ends`, None where nothing stands."""
        if self.is_at("\"'"):
            return self.quoted()
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ends:
            self.at += 1
        return self.text[start : self.at].rstrip() if self.at > start else None

    def quoted(self):
        quote = self.text[self.at]
        self.at += 1
        found = []
        while self.at < len(self.text):
            sign = self.text[self.at]
            self.at += 1
            if sign == "\\" and self.at < len(self.text):
                after = self.text[self.at]
                found.append(_ESCAPES.get(after, after))
                self.at += 1
            elif sign != quote:
                found.append(sign)
            elif sign == '"' and self.is_at('"') and self.at + 1 < len(self.text):
                found.append(sign)
                self.at += 1
            else:
                break
        return "".join(found)
