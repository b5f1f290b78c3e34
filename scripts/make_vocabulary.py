#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes engine/clean/vocabulary/medicine.txt and english.txt.

Usage: make_vocabulary.py FOLDER_OF_NAMES

Words come from Debian's python3-pydicom (DICOM's keywords and code meanings), wordnet-base (terms of
anatomy, disease, treatment and substances) and scowl (plain English). What is also a personal or
place name comes off: scowl's and WordNet's proper names, WordNet's words for persons, and all names
in FOLDER_OF_NAMES (text files, and ruby-faker's locales: one may unpack Debian's ruby-faker,
rig and miscfiles and put their name lists there). The names
themselves are not kept. The lists of the project's own next to the output overrule these.
"""
import gzip
import pathlib
import re
import sys
import unicodedata

import yaml

OUT = pathlib.Path(__file__).resolve().parent.parent / "engine" / "clean" / "vocabulary"
WORDNET = pathlib.Path("/usr/share/wordnet")
SCOWL = pathlib.Path("/usr/share/dict/scowl")
NOUN_FILES = {4: "act", 6: "artifact", 7: "attribute", 8: "body", 18: "person", 27: "substance", 26: "state",
              22: "process", 19: "phenomenon", 15: "location", 5: "animal", 20: "plant"}
PERSONS = {18, 15}
# Signs in a definition that a word belongs to medicine.
MEDICAL = re.compile(r"\b(medic|disease|disorder|surg|anatom|bone|muscle|artery|arteries|vein|nerve|tissue|"
                     r"organ|patholog|syndrome|tumou?r|cancer|inflammation|infection|blood|symptom|treatment|"
                     r"therap|drug|diagnos|radio(graph|log)|X-?ray|hormone|cell|body|skin|kidney|liver|lung|"
                     r"heart|brain|spin(e|al)|pregnan|birth|physician|patient|bacteri|virus|enzyme|protein)",
                     re.IGNORECASE)


def fold(text):
    text = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in text if unicodedata.category(c) != "Mn")


def words_in(text):
    return re.findall(r"[a-z]+", fold(text))


def wordnet(part):
    """Each synset: its lexicographer file, words, whether an instance, definition."""
    for line in (WORDNET / f"data.{part}").read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue
        data, _, gloss = line.partition("|")
        fields = data.split()
        words = [fields[4 + 2 * i] for i in range(int(fields[3], 16))]
        yield int(fields[1]), words, " @i " in data, gloss


def strings(tree):
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list):
        return [text for branch in tree for text in strings(branch)]
    return [str(tree)]


def yaml_names(tree):
    """What stands under name and address in ruby-faker's locales."""
    found = set()
    for key, branch in tree.items() if isinstance(tree, dict) else ():
        if key in ("name", "address"):
            for kind, leaves in branch.items() if isinstance(branch, dict) else ():
                if re.search("first|last|middle|male|city|cities|country|state|neutral", kind) and "suffix" not in kind:
                    found |= {word for text in strings(leaves) if "#{" not in text for word in words_in(text)}
        else:
            found |= yaml_names(branch)
    return found


def names(folder):
    found = set()
    for file in sorted(pathlib.Path(folder).rglob("*")):
        if file.suffix == ".yml":
            found |= yaml_names(yaml.safe_load(file.read_text(encoding="utf-8").replace("\t", " ")))
        elif file.is_file():
            raw = file.read_bytes()
            text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode("utf-8", errors="replace")
            found |= set(words_in(text))
    for file in [*SCOWL.glob("*proper-names*"), *SCOWL.glob("*upper*")]:
        for line in file.read_text(encoding="latin-1").splitlines():
            found |= set(words_in(line))
    for file, synset, instance, _ in wordnet("noun"):
        for word in synset:
            if (instance or file == 15) and word[:1].isupper():
                found |= set(words_in(word))
    return found


def persons_and_nature():
    """Common nouns that are common surnames: trades, animals, plants."""
    return {fold(word) for file, synset, _, _ in wordnet("noun") if file in {18, 5, 20} for word in synset}


def dicom():
    from pydicom import _dicom_dict, _uid_dict
    from pydicom.sr import _concepts_dict
    text = []
    coded = []
    for table in (_dicom_dict.DicomDictionary, _dicom_dict.RepeatersDictionary):
        for row in table.values():
            text.append(row[2])
    for scheme in _concepts_dict.concepts.values():
        for rows in scheme.values():
            coded += [meaning for meaning, *_ in rows.values()]
    for row in _uid_dict.UID_dictionary.values():
        text.append(row[0])
    # The meanings of codes have names of breeds and authors; words of no dictionary come off.
    known = {fold(word) for part in ("noun", "adj", "verb", "adv") for _, synset, _, _ in wordnet(part)
             for word in synset if word == word.lower()} | english("*")
    return ({word for line in text for word in words_in(line)} |
            {word for line in coded for word in words_in(line)} & known)


def medicine():
    found = set()
    for part in ("noun", "adj", "verb"):
        for file, synset, instance, gloss in wordnet(part):
            if instance or file in PERSONS:
                continue
            if (part == "noun" and file == 8) or MEDICAL.search(gloss):
                for word in synset:
                    if word == word.lower():
                        found |= set(words_in(word))
    return found


def english(*levels):
    found = set()
    for level in levels:
        for name in ("english-words", "american-words", "british-words"):
            for file in SCOWL.glob(f"{name}.{level}"):
                found |= {w for w in file.read_text(encoding="latin-1").split()
                          if re.fullmatch("[a-z]+", w)}
    return found


def write(name, source, words):
    text = ("# SPDX-License-Identifier: Apache-2.0\n"
            f"# Written by scripts/make_vocabulary.py: {source}\n")
    (OUT / name).write_text(text + "".join(w + "\n" for w in sorted(words)), encoding="utf-8")
    print(f"{name}: {len(words)} words")


def own():
    found = set()
    for name in ("radiology", "languages", "ambiguous"):
        for line in (OUT / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                found.add(fold(line))
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    # A surname is seldom that long, and a word of seven letters and more is seldom one of the others.
    off = names(sys.argv[1])
    nature = persons_and_nature()
    kept = own()
    medical = {w for w in dicom() | medicine() if len(w) > 3} - off - nature - kept
    plain = {w for w in english("10", "20", "35") if len(w) > 3} - off - nature - kept - medical
    surname = re.compile(r".*(man|mann|son|sen|ton|ham|field|wood|berg|smith|wright|stein|land|worth|ley|kin|kins|ford|"
                         r"well|bury|shaw|croft|more)$")
    plain = {w for w in plain if not surname.match(w)}
    write("medicine.txt", "DICOM's keywords and code meanings by pydicom (MIT); WordNet 3.0\n"
          "# (Copyright 2006 by Princeton University; WordNet licence). Names are taken out.", medical)
    write("english.txt", "SCOWL (Copyright 2000-2018 by Kevin Atkinson; its licence is permissive).\n"
          "# Names are taken out.", plain)


main()
