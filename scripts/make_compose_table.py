#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes engine/clean/tables/compose.inc: letters with marks, and the letter and the mark they consist of.

Usage: make_compose_table.py > engine/clean/tables/compose.inc

The facts are Unicode's (Python's unicodedata): canonical decompositions of Latin, Greek and Cyrillic
letters into two characters, but for those that normalization form C does not have.
"""
import unicodedata

RANGES = [(0xC0, 0x24F), (0x370, 0x52F), (0x1E00, 0x1FFF)]
MARKS = range(0x300, 0x370)


def main():
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// Written by scripts/make_compose_table.py from the Unicode Character Database (Unicode License v3).")
    for low, high in RANGES:
        for code in range(low, high + 1):
            parts = unicodedata.decomposition(chr(code)).split()
            if len(parts) != 2 or parts[0].startswith("<") or unicodedata.normalize("NFC", chr(code)) != chr(code):
                continue
            letter, mark = (int(part, 16) for part in parts)
            if mark in MARKS:
                print(f"{{0x{code:04X}, 0x{letter:04X}, 0x{mark:04X}}},")


main()
