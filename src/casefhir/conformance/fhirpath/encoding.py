"""Text in other forms: base64, hexadecimal, HTML and JSON escapes."""

import base64
import binascii
import html
import json
import re
from collections.abc import Callable

Change = Callable[[str], str]
_JSON_ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|["\\/bfnrt])')


def _unescape_json(text: str) -> str:
    return _JSON_ESCAPE.sub(lambda match: str(json.loads(f'"{match[0]}"')), text)


_ENCODE: dict[str, Change] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "urlbase64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
}
_DECODE: dict[str, Change] = {
    "base64": lambda text: base64.b64decode(text, validate=True).decode(),
    "urlbase64": lambda text: base64.urlsafe_b64decode(text).decode(),
    "hex": lambda text: bytes.fromhex(text).decode(),
}
_ESCAPE: dict[str, Change] = {
    "html": lambda text: html.escape(text, quote=True),
    "json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
}
_UNESCAPE: dict[str, Change] = {"html": html.unescape, "json": _unescape_json}
_FORMS = {"encode": _ENCODE, "decode": _DECODE, "escape": _ESCAPE, "unescape": _UNESCAPE}


def changed(verb: str) -> Callable[[str, str], str | None]:
    """The function of text and form for `encode`, `decode`, `escape` or `unescape`; None where it does not apply."""
    forms = _FORMS[verb]

    def change(text: str, form: str) -> str | None:
        if form not in forms:
            return None
        try:
            return forms[form](text)
        except (binascii.Error, ValueError):
            return None

    return change
