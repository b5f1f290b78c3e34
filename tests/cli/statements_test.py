#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The statements that a de-identifier by PS3.15 Annex E can be tested by, over samples and corpus.

Each test is named by the statement's number. statements_judge.py says what each asks.
"""
import collections
import concurrent.futures
import os
import re
import shutil
import subprocess
import unittest

import annex_e as e
import support
from statements_judge import Judge

RULE_SETS = {
    "plain": ("basic", []),
    "research": ("basic+", ["clean-descriptors", "clean-structured-content", "clean-graphics",
                            "retain-longitudinal-modified-dates", "retain-patient-characteristics",
                            "retain-device-identity", "retain-safe-private"]),
    "inside": ("basic", ["retain-longitudinal-full-dates", "retain-device-identity",
                         "retain-institution-identity", "retain-uids"]),
}


def WriteRules(folder, name, profile, options):
    path = folder / f"{name}.yaml"
    path.write_text(f"dcmveil: 1\nname: {name}\nprofile: {profile}\n" +
                    (f"options: [{', '.join(options)}]\n" if options else "") +
                    "key: {file: a.key}\n")
    return path


# Pseudonyms; what an action derives anew from its own output.
DERIVED = {0x00100020, 0x00120040, 0x00400512, 0x00400551}


# dicom3tools know no deflated transfer syntax, and stop at elements of group 0000 without a word.
# In the corpus: one that they give up, one with leading zeros in its UIDs, one whose references name
# an instance "0" that has to get a UID.
UNREAD_BY_DICOM3TOOLS = {"FORMATMANN_deflated.dcm", "image_dfl.dcm", "illegal_groups.dcm",
                         "syn-ct2.dcm", "CR-ModalitySequenceLUT.dcm", "reportsi.dcm"}


def Findings(tool, files):
    """The kinds of errors that a tool of dicom3tools finds, without values; None: it cannot read."""
    done = subprocess.run([tool, *map(str, files)], capture_output=True, check=False, timeout=120)
    text = (done.stderr + done.stdout).decode("latin-1")
    lines = {re.sub(r"<[^>]*>|[0-9.]{5,}|[0-9]+ |[\[(].*?[\])]", "", line)
             for line in text.splitlines() if line.startswith("Error")}
    if tool == "dciodvfy" and any("Dicom dataset read failed" in line for line in lines):
        return None
    return lines


def Differences(before, after):
    """Tags of elements that differ, at every depth; of those that only one has, the upper one."""
    for tag in set(e.Tags(before)) | set(e.Tags(after)):
        if tag not in before or tag not in after:
            yield tag
            continue
        old, new = e.Get(before, tag), e.Get(after, tag)
        if e.IsSequence(old) and e.IsSequence(new) and len(old.value) == len(new.value):
            for one, other in zip(old.value, new.value):
                yield from Differences(one, other)
        elif e.IsSequence(old) or e.IsSequence(new) or e.Text(old) != e.Text(new):
            yield tag


class Statements:
    """The tests; the classes below say on which files."""
    source = None
    # Of which there are none among the files.
    none = ()
    # Inputs that pydicom reads otherwise than the standard says: it stops in their sequences.
    unreadable = ("GH179A.dcm",)

    @classmethod
    def Prepare(cls):
        cls.judges, cls.pairs, cls.outputs = {}, {}, {}
        tables = cls.tables = e.Tables()
        for name, (profile, options) in RULE_SETS.items():
            rules = WriteRules(cls.class_tmp, name, profile, options)
            output = cls.class_tmp / name
            cls.Run(rules, cls.source, output, timeout=300)
            judge = Judge(tables, profile == "basic+", options)
            cls.pairs[name] = cls.Pairs(cls.source, output)
            cls.outputs[name] = output
            for before, after, line in cls.pairs[name]:
                if before.name in cls.unreadable:
                    continue
                judge.Pair(before, after, os.path.basename(line["input"]))
            judge.Finish()
            cls.judges[name] = judge

    def Expect(self, number):
        failures, count = [], 0
        for name, judge in self.judges.items():
            count += judge.counts[number]
            failures += [f"{name}: {what}" for what in judge.failures[number]]
        print(f"S{number:02d}: {count} checks ", end="", flush=True)
        self.assertEqual([], failures[:15], f"{len(failures)} of {count}")
        if number not in self.none:
            self.assertGreater(count, 0, "nothing was checked")

    def test_s01_patient_identity_removed(self):
        self.Expect(1)

    def test_s02_method_codes(self):
        self.Expect(2)

    def test_s03_earlier_methods_stay_in_front(self):
        self.Expect(3)

    def test_s04_method_texts_are_short(self):
        self.Expect(4)

    def test_s05_longitudinal_marker(self):
        self.Expect(5)

    def test_s06_burned_in_annotation_is_not_touched(self):
        self.Expect(6)

    def test_s07_preamble_and_file_meta_are_new(self):
        self.Expect(7)

    def test_s08_file_meta_agrees(self):
        self.Expect(8)

    def test_s09_no_commands_nor_directories(self):
        self.Expect(9)

    def test_s10_encoding_is_sound(self):
        self.Expect(10)

    def test_s11_removed(self):
        self.Expect(11)

    def test_s12_emptied_or_replaced(self):
        self.Expect(12)

    def test_s13_replaced(self):
        self.Expect(13)

    def test_s14_nothing_created(self):
        self.Expect(14)

    def test_s15_compound_codes_by_type(self):
        self.Expect(15)

    def test_s16_nested_patient_ids(self):
        self.Expect(16)

    def test_s17_no_private(self):
        self.Expect(17)

    def test_s18_no_curves_nor_overlays(self):
        self.Expect(18)

    def test_s19_no_icons_nor_originals(self):
        self.Expect(19)

    def test_s20_content_trees_share_nothing(self):
        self.Expect(20)

    def test_s21_documents_are_replaced(self):
        self.Expect(21)

    def test_s22_elements_in_other_vrs(self):
        self.Expect(22)

    def test_s23_code_meanings(self):
        self.Expect(23)

    def test_s24_no_protected_value_elsewhere(self):
        self.Expect(24)

    def test_s25_no_uid_of_the_input(self):
        self.Expect(25)

    def test_s26_uids_map_one_to_one(self):
        self.Expect(26)

    def test_s27_references_resolve(self):
        self.Expect(27)

    def test_s28_registered_uids_stay(self):
        self.Expect(28)

    def test_s29_new_uids_are_legal(self):
        self.Expect(29)

    def test_s30_retain_uids(self):
        self.Expect(30)

    def test_s31_entities_agree(self):
        self.Expect(31)

    def test_s32_full_dates(self):
        self.Expect(32)

    def test_s33_modified_dates(self):
        self.Expect(33)

    def test_s34_times_of_day(self):
        self.Expect(34)

    def test_s35_patient_characteristics(self):
        self.Expect(35)

    def test_s36_device_identity(self):
        self.Expect(36)

    def test_s37_institution_identity(self):
        self.Expect(37)

    def test_s38_safe_private(self):
        self.Expect(38)

    def test_s39_declared_private(self):
        self.Expect(39)

    def test_s40_descriptors(self):
        self.Expect(40)

    def test_s41_content_items(self):
        self.Expect(41)

    def test_s42_graphics(self):
        self.Expect(42)

    def test_s44_kept_sequences_keep_their_items(self):
        self.Expect(44)

    def test_s46_image_is_the_same(self):
        self.Expect(46)

    # ---- The result as a whole -------------------------------------------------------------------

    def test_s31_dcentvfy_finds_nothing_new(self):
        for name, pairs in self.pairs.items():
            studies = collections.defaultdict(list)
            for before, after, _ in pairs:
                data_set = e.Read(before)
                studies[e.TextAt(data_set, 0x0020000D), e.TextAt(data_set, 0x00100020)].append(
                    (before, after))
            for files in studies.values():
                old, new = (Findings("dcentvfy", [pair[i] for pair in files]) for i in (0, 1))
                if any(pair[0].name in UNREAD_BY_DICOM3TOOLS for pair in files):
                    continue
                with self.subTest(rules=name, file=files[0][0].name):
                    self.assertEqual(set(), new - old)

    def test_s45_dciodvfy_finds_nothing_new(self):
        unread, compared = set(), 0
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for name, pairs in self.pairs.items():
                checked = pool.map(lambda pair: (pair[0], Findings("dciodvfy", [pair[0]]),
                                                 Findings("dciodvfy", [pair[1]])), pairs)
                for before, old, new in checked:
                    if old is None or before.name in UNREAD_BY_DICOM3TOOLS:
                        unread.add(before.name)
                        continue
                    compared += 1
                    with self.subTest(rules=name, file=before.name):
                        self.assertEqual(set(), (new or set()) - old)
        print(f"{compared} compared; dciodvfy cannot read", *sorted(unread), "... ", end="")
        self.assertGreater(compared, 0)

    def test_s47_a_second_time_changes_only_uids(self):
        """What the first run left is a fixed point but for what is derived: UIDs, codes, dates."""
        for name, (_, options) in RULE_SETS.items():
            output = self.tmp / name
            self.Run(self.class_tmp / f"{name}.yaml", self.outputs[name], output, timeout=300)
            changed = collections.Counter()
            for before, after, line in self.Pairs(self.outputs[name], output):
                for tag in Differences(e.Read(before), e.Read(after)):
                    derived = e.Vr(tag) in ("UI",) or tag in DERIVED or (
                        e.MODIFIED in options and e.Vr(tag) in ("DA", "DT")) or (
                        "retain-device-identity" in options and self.IsDevice(tag, options))
                    if not derived:
                        changed[f"{tag:08X}"] += 1
            self.assertEqual({}, dict(changed), name)

    @classmethod
    def IsDevice(cls, tag, options):
        row = cls.tables.basic.get(tag)
        return row is not None and e.Effective(options, row.options) == ("retain-device-identity", "C")


class OnSamples(Statements, support.CliTest):
    none = (16, 39)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = cls.samples
        cls.Prepare()


@support.NeedsCorpus
class OnCorpus(Statements, support.CliTest):
    none = (16, 21, 22, 39)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = support.CORPUS
        cls.Prepare()


if __name__ == "__main__":
    support.Main()
