"""Text made safe for XML."""

from __future__ import annotations


def clean(text: str) -> str:
    """`text` without characters that XML forbids (control characters, lone surrogates); tabs and breaks become
    spaces."""
    if text.isprintable():
        return text
    return "".join(
        " " if c in "\t\n\r\x85\u2028\u2029" else c
        for c in text
        if c in "\t\n\r" or (" " <= c < "\x7f") or ("\x85" <= c < "\ud800") or ("\ue000" <= c and c not in "\ufffe\uffff")
    )


def html(text: str) -> str:
    """`text` for XML, markup and quotes escaped."""
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")
