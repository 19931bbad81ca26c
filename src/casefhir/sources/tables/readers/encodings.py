"""Which encoding a table's text is in, where it is not UTF-8.

Tables are nearly all ASCII, with a few words or units beyond it, which is too little for detectors that weigh whole
texts by language: they take `Señor` for `Seńor`, and `µg/l` for Chinese. So only the cells beyond ASCII are looked at,
and the encoding is taken in which they look most like words: of one script, capitals first, signs where signs stand.
"""

import re
import unicodedata
from collections.abc import Iterator

ENCODINGS = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859_15", "mac_roman", "cp850", "cp437",
    "shift_jis", "gb18030", "big5", "euc_kr",
]  # fmt: skip
"""What registries are written in; of those that fit alike the first is taken."""
_WORST = 0.6
_CELLS = re.compile(rb'[,;\t|\r\n"]+')
_MOST_CELLS = 2_000
_QUOTES = "–—‘’“”„‚§«»‹›·"
_BETWEEN = "…•€×≥≤½¼¾"
_VOWELS = frozenset("аеёиіоуыэюяαεηιουωάέήίόύώϊϋ")
_EAST = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC", "KATAKANA-HIRAGANA")


def guessed(sample: bytes) -> str | None:
    """The encoding of a table that begins like `sample`; None where it is rather no text."""
    if is_wide(sample):
        return _wide(sample)
    if sum(byte < 9 or 13 < byte < 32 for byte in sample) * 100 > len(sample):
        return None
    cells = dict.fromkeys(cell for cell in _CELLS.split(sample) if not cell.isascii())
    data = b"\n".join([*cells][:_MOST_CELLS])
    scored = [(_oddness(data, name), place, name) for place, name in enumerate(ENCODINGS)]
    oddness, _, name = min(scored, key=lambda each: each[0] + each[1] / 100)
    return name if oddness <= _WORST else None


def is_wide(sample: bytes) -> bool:
    """Whether this may be UTF-16, in which every second byte of western text is a NUL."""
    return bool(sample) and sample.count(0) * 10 >= len(sample)


def mostly_utf8(sample: bytes) -> int | None:
    """Where the first byte is, or may be, that is not UTF-8 in text that otherwise is; None where it is rather none at
    all.
    """
    told = sample.decode("utf-8", errors="replace")
    wrong = told.count("\ufffd")
    right = sum(character > "\x7f" for character in told) - wrong
    if right <= wrong:
        return None
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return len(sample)


def _wide(sample: bytes) -> str | None:
    first, second = sample[::2].count(0), sample[1::2].count(0)
    name = "utf_16_le" if second > first else "utf_16_be"
    try:
        text = sample[: len(sample) // 2 * 2].decode(name, errors="replace")
    except UnicodeError:
        return None
    return name if "\0" not in text and text.count("\ufffd") * 100 < len(text) else None


def _oddness(data: bytes, encoding: str) -> float:
    """How unlike words `data` is when read so: 0 none, 1 and more very much; infinite where it cannot be read."""
    try:
        text = data.decode(encoding)
    except UnicodeError:
        return float("inf")
    odd, count = 0.0, 0
    for word in text.split():
        if not word.isascii():
            for each in _faults(word):
                odd += each
                count += 1
    return odd / max(count, 1)


def _faults(word: str) -> Iterator[float]:
    """How odd each character beyond ASCII is in its word."""
    scripts = {_script(each) for each in word if each.isalpha() and each not in "µªº"}
    mixed = 1.0 if len(scripts) > 1 else 0.0
    run = max((len(each) for each in re.findall(r"[^\W\d_a-zA-Z]+", word)), default=0)
    letters = word.lower()
    vowels = sum(each in _VOWELS for each in letters) / len(letters)
    unspoken = 0.5 if scripts <= {"CYRILLIC", "GREEK"} and len(word) > 3 and not 0.25 <= vowels <= 0.75 else 0.0
    for place, each in enumerate(word):
        if each <= "\x7f":
            continue
        before, after = word[place - 1] if place else "", word[place + 1] if place + 1 < len(word) else ""
        if not each.isalpha() or each in "µªº":
            yield _sign(each, before, after)
        elif each.isupper() and (before.islower() or (before.isalpha() and after.islower())):
            yield 1.0 + mixed
        elif _script(each) != "LATIN":
            # half a katakana is rather one byte of something
            yield (0.7 if "\uff61" <= each <= "\uff9f" else 0.0) + mixed + unspoken
        else:  # languages in Latin letters have no three in a row beyond ASCII, and these letters seldom
            yield mixed + (1.0 if run > 2 else 0.0) + (0.3 if each in "ðþÐÞýÝ" else 0.0)


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "?").split()[0]
    return "EAST" if name in _EAST or name in ("HALFWIDTH", "FULLWIDTH") else name


def _sign(each: str, before: str, after: str) -> float:
    if each == "µ":
        return 0.0 if after.isalpha() and not before.isalpha() else 1.5
    if each in "²³":
        return 0.0 if before.isalpha() and not after.isalpha() else 1.5
    if each in "°º±":
        return 0.0 if not before.isalpha() else 1.5
    if each in _QUOTES:
        return 0.2
    if each in _BETWEEN:
        return 1.5 if before.isalpha() or after.isalpha() else 0.2
    return 3.0 if unicodedata.category(each)[0] == "C" else 1.5
