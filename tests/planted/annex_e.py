# SPDX-License-Identifier: Apache-2.0
"""The two tables of PS3.15 Annex E as the judge reads them, and the names of the options."""
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
OPTIONS = {
    "private": "retain-safe-private",
    "uids": "retain-uids",
    "device": "retain-device-identity",
    "institution": "retain-institution-identity",
    "patient": "retain-patient-characteristics",
    "full": "retain-longitudinal-full-dates",
    "modified": "retain-longitudinal-modified-dates",
    "descriptors": "clean-descriptors",
    "structured": "clean-structured-content",
    "graphics": "clean-graphics",
}
# Option -> code in CID 7050.
METHOD_CODES = {
    "clean-pixel-data": "113101", "clean-recognizable-visual-features": "113102",
    "clean-graphics": "113103", "clean-structured-content": "113104", "clean-descriptors": "113105",
    "retain-longitudinal-full-dates": "113106", "retain-longitudinal-modified-dates": "113107",
    "retain-patient-characteristics": "113108", "retain-device-identity": "113109", "retain-uids": "113110",
    "retain-safe-private": "113111", "retain-institution-identity": "113112",
}
# Options that are never decided against each other by the standard: the first one here decides.
ORDER = ["private", "uids", "institution", "patient", "descriptors", "structured", "graphics", "full", "modified",
         "device"]


class Row:
    def __init__(self, key, vr, basic, options):
        self.key, self.vr, self.basic, self.options = key, vr, basic, options


def read(name, key_words):
    rows = []
    for line in (HERE / name).read_text(encoding="ascii").splitlines():
        if line.startswith("#"):
            continue
        words = line.split()
        options = dict(word.split("=") for word in words[key_words + 2:])
        rows.append(Row(tuple(words[:key_words]), words[key_words], words[key_words + 1],
                        {name: options[name] for name in ORDER if name in options}))
    return rows


def attributes():
    rows = {}
    for row in read("attributes.txt", 1):
        rows[int(row.key[0], 16)] = row
    return rows


def content_items():
    return read("content_items.txt", 2)
