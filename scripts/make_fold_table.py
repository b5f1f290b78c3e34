#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes engine/clean/tables/fold.inc: what letters become when case and diacritics do not count.

Usage: make_fold_table.py > engine/clean/tables/fold.inc

The facts are Unicode's (Python's unicodedata): compatibility decomposition, case folding, marks
taken off. Of Japanese, full and half width, hiragana and katakana, voiced and plain count as the
same. What does not decompose there but is written without its stroke elsewhere is listed here.
"""
import sys
import unicodedata

OWN = {"ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i", "ŧ": "t", "æ": "ae",
       "œ": "oe", "ŋ": "n", "ĸ": "k", "ς": "σ", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي",
       "ة": "ه", "ی": "ي", "ک": "ك", "ɓ": "b", "ƒ": "f", "ơ": "o", "ư": "u"}
RANGES = [(0xAA, 0x24F), (0x250, 0x2AF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x591, 0x5C7),
          (0x610, 0x61A), (0x621, 0x6D3), (0x1E00, 0x1FFF), (0x2000, 0x200F), (0x3000, 0x3000),
          (0x3041, 0x30FF), (0xFB1D, 0xFB4F), (0xFE70, 0xFEFC), (0xFF01, 0xFF9F)]


def katakana_to_hiragana(text):
    return "".join(chr(ord(c) - 0x60) if 0x30A1 <= ord(c) <= 0x30F6 else c for c in text)


def fold(c):
    text = unicodedata.normalize("NFKD", c).casefold()
    text = "".join(d for d in unicodedata.normalize("NFKD", text)
                   if unicodedata.category(d) not in ("Mn", "Cf", "Lm") or d == "ー")
    text = "".join(OWN.get(d, d) for d in text)
    return katakana_to_hiragana(text).strip(" ") or ("" if not c.isspace() and c != "\u3000" else " ")


def main():
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// Written by scripts/make_fold_table.py from the Unicode Character Database (Unicode License v3).")
    for low, high in RANGES:
        for code in range(low, high + 1):
            c = chr(code)
            if unicodedata.category(c) == "Cn" or fold(c) == c:
                continue
            if unicodedata.category(c)[0] in "PSN" and not 0xFF00 < code < 0xFF9F and code != 0x30FC:
                continue
            bytes_ = "".join(f"\\x{b:02x}" for b in fold(c).encode())
            text = fold(c) if fold(c).isascii() and fold(c).isalnum() else bytes_
            print(f'{{0x{code:04X}, "{text}"}},')


main()
