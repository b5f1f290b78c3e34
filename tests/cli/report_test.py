#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--report, --dry-run --report and the verb report: what they say is so, report.json holds no value, and the page works
in a real browser."""
import collections
import html
import json
import os
import re
import shutil
import stat
import subprocess
import unittest

import pydicom
import pydicom.datadict

from support import (CORPUS, OUTCOMES, CliTest, Command, Element, FindLeaks, Main, NeedsCorpus, Part10, Plain,
                     ReadIdentifiers, Timeout)

CHROMIUM = shutil.which("chromium")
HOSTILE = '<script>document.title="owned"</script>'


def ReadJson(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def WithoutTimes(report):
    return {key: value for key, value in report.items() if key not in ("began", "seconds", "pace")}


def Rows(page, table):
    """The cells of a table's body, as text, read with nothing of the page's own."""
    match = re.search(rf'<table id="{table}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    if not match:
        return []
    return [[html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
            for row in re.findall(r"<tr[^>]*>(.*?)</tr>", match[1], re.DOTALL)]


class Base(CliTest):
    def Report(self, source, *more, rules="research-export.yaml", output="out", report="report", **options):
        folder = self.tmp / report
        self.Run(rules, source, self.tmp / output, "--report", folder, *more, **options)
        return folder


class ReportTest(Base):
    def ExpectManifestsCounts(self, report, output):
        lines = self.Manifest(output)
        counts = collections.Counter(line["outcome"] for line in lines)
        self.assertEqual({o: counts[o] for o in OUTCOMES}, report["outcomes"])
        self.assertEqual(len(lines), report["inputs"])
        self.assertEqual(len(lines), sum(kind["inputs"] for kind in report["kinds"]) + report["of_unknown_kind"])
        reasons = collections.Counter((line["outcome"], line["reason"]) for line in lines if line["reason"])
        told = collections.Counter()
        for row in report["without_output"]:
            told[row["outcome"], row["reason"]] += row["inputs"]
        self.assertEqual(reasons, told)
        notes = collections.Counter()
        for line in lines:
            notes.update(line.get("notes", {}))
        self.assertEqual(notes, collections.Counter(report["notes"]))

    def ExpectKinds(self, source, output, report):
        """By another reader: modality and SOP class of the inputs that have an output."""
        seen = collections.Counter()
        for file, _, _ in self.Pairs(source, output):
            data = pydicom.dcmread(file, force=True, specific_tags=["Modality", "SOPClassUID"])
            seen[str(data.get("Modality", "")).split("\0")[0], str(data.SOPClassUID)] += 1
        told = {(kind["modality"], kind["sop_class_uid"]): kind["outcomes"]["written"] for kind in report["kinds"]}
        for (modality, sop_class), count in seen.items():
            if (modality, sop_class) in told:
                self.assertEqual(count, told[modality, sop_class], (modality, sop_class))
        self.assertEqual(sum(seen.values()), sum(told.values()))

    def test_counts_are_those_of_the_manifest(self):
        report = ReadJson(self.Report(self.samples, expect=3))
        self.ExpectManifestsCounts(report, self.tmp / "out")
        self.ExpectKinds(self.samples, self.tmp / "out", report)
        self.assertEqual("basic+", report["profile"]["name"])
        self.assertIn("113100", [code["code"] for code in report["profile"]["method_codes"]])
        self.assertEqual(sum(rule["elements"] for rule in report["rules_applied"]), sum(report["actions"].values()))

    @NeedsCorpus
    def test_counts_are_those_of_the_manifest_on_real_files(self):
        report = ReadJson(self.Report(CORPUS, expect=3, timeout=300))
        self.ExpectManifestsCounts(report, self.tmp / "out")
        self.ExpectKinds(CORPUS, self.tmp / "out", report)

    def test_threads_do_not_matter(self):
        pages = []
        for jobs in ("1", "5"):
            folder = self.Report(self.samples, "-j", jobs, output="out" + jobs, report="report" + jobs, expect=3)
            page = (folder / "report.html").read_text(encoding="utf-8")
            pages.append([WithoutTimes(ReadJson(folder)), Rows(page, "texts"), Rows(page, "rules-applied")])
        self.assertEqual(pages[0], pages[1])
        self.assertGreater(len(pages[0][1]), 20)

    def test_values_stand_in_the_review_file_and_the_page_alone(self):
        folder = self.Report(self.samples, rules="keep-all.yaml", expect=3)
        state = self.State(self.tmp / "out")
        texts = Rows((folder / "report.html").read_text(encoding="utf-8"), "texts")
        self.assertGreater(len(texts), 100)
        identifiers = ReadIdentifiers(self.samples)
        self.assertTrue(FindLeaks({"review": (state / "review.ndjson").read_bytes()}, identifiers),
                        "everything was kept, so the review file must have some")
        blobs = {name: file.read_bytes() for name, file in {"report.json": folder / "report.json",
                                                            "survey.json": state / "survey.json",
                                                            "run.json": state / "run.json"}.items()}
        self.assertEqual([], FindLeaks(blobs, identifiers))
        for file in (folder / "report.html", folder / "report.json", state / "review.ndjson", state / "survey.json"):
            self.assertEqual(0o600, stat.S_IMODE(file.stat().st_mode), file.name)
        self.assertEqual(0o700, stat.S_IMODE(folder.stat().st_mode))

    @NeedsCorpus
    def test_report_json_has_no_value_of_real_files(self):
        folder = self.Report(CORPUS, rules="keep-all.yaml", expect=3, timeout=300)
        text = (folder / "report.json").read_text(encoding="utf-8")
        survey = (self.State(self.tmp / "out") / "survey.json").read_text(encoding="utf-8")
        words = " ".join(pydicom.datadict.keyword_dict)
        values = set()
        for file, _, _ in self.Pairs(CORPUS, self.tmp / "out"):
            data = pydicom.dcmread(file, force=True, stop_before_pixels=True)
            for keyword in ("PatientName", "PatientID", "AccessionNumber", "InstitutionName", "ReferringPhysicianName",
                            "StudyInstanceUID", "SOPInstanceUID", "StationName", "PatientAddress"):
                value = str(data.get(keyword, "") or "")
                # Some say "Institution": that is a word of DICOM, and of rules.
                if len(value) >= 6 and value not in words:
                    values.add(value)
        self.assertGreater(len(values), 300)
        self.assertEqual([], [value for value in values if value in text or value in survey.replace(str(CORPUS), "")])

    def test_every_kept_text_is_listed(self):
        """By another reader: each value of LO and the like in the outputs of keep-all stands in the table."""
        folder = self.Report(self.samples, rules="keep-all.yaml", expect=3)
        listed = collections.Counter()
        for row in Rows((folder / "report.html").read_text(encoding="utf-8"), "texts"):
            listed[row[0], row[2]] += int(row[3].replace(",", ""))
        found = collections.Counter()
        for _, output, _ in self.Pairs(self.samples, self.tmp / "out"):
            data = pydicom.dcmread(output, stop_before_pixels=True)
            for tag in data.keys():
                if pydicom.datadict.dictionary_has_tag(tag) and pydicom.datadict.dictionary_VR(tag) not in ("LO", "SH"):
                    continue
                element = data[tag]
                if element.VR in ("LO", "SH") and element.keyword and element.keyword != "DeidentificationMethod":
                    value = element.value if isinstance(element.value, str) else "\\".join(element.value or [])
                    if value and value.isascii() and value.isprintable():
                        found[element.keyword, value] += 1
        self.assertGreater(len(found), 20)
        self.assertEqual([], [(key, count, listed[key]) for key, count in found.items() if listed[key] != count])

    def test_guarded_by_escapes(self):
        source = self.tmp / "in"
        source.mkdir()
        (source / "a").write_bytes(Part10(Plain() + Element(0x00104000, "LT", HOSTILE)))
        page = (self.Report(source, rules="keep-all.yaml") / "report.html").read_text(encoding="utf-8")
        self.assertNotIn(HOSTILE, page)
        self.assertIn(html.escape(HOSTILE), page)
        self.assertIn(["PatientComments", "LT", HOSTILE, "1", "1"], [row[:5] for row in Rows(page, "texts")])
        for sign in ("http://", "https://", "url(", "<link", "@import", "src="):
            self.assertNotIn(sign, page)

    def test_dry_run_shows_what_would_change(self):
        folder = self.Report(self.samples, "--dry-run", expect=3)
        self.assertEqual(["report"], [entry.name for entry in self.tmp.iterdir()], "no output and no state")
        self.assertEqual(0o700, stat.S_IMODE(folder.stat().st_mode))
        report = ReadJson(folder)
        self.assertTrue(report["dry_run"])
        page = (folder / "report.html").read_text(encoding="utf-8")
        rows = Rows(page, "changes")
        names = [row for row in rows if row[0] == "PatientName"]
        self.assertTrue(names)
        for row in names:
            self.assertNotEqual(row[2], row[3])
            self.assertTrue(row[6] and row[7], "a rule and an action")
        ids = [row for row in rows if row[0] == "PatientID" and row[7] == "pseudonym"]
        self.assertTrue(ids and all(re.search(r"\.yaml:\d+$", row[6]) for row in ids), ids[:1])
        self.assertIn("Sensitive until reviewed", page)
        self.assertEqual([], FindLeaks({"report.json": (folder / "report.json").read_bytes()},
                                       ReadIdentifiers(self.samples)))
        self.Run("research-export.yaml", self.samples, self.tmp / "out", expect=3)
        pages = self.ByInput(self.tmp / "out")
        self.assertEqual(report["outcomes"]["written"],
                         sum(line["outcome"] == "written" or line["reason"] == "same-output"
                             for line in pages.values()))

    def test_report_can_be_written_again_and_parts_added_up(self):
        first = self.Report(self.samples, expect=3)
        result = Command("report", "--state", self.State(self.tmp / "out"), "--report", self.tmp / "again")
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual(ReadJson(first), ReadJson(self.tmp / "again"))
        parts = []
        files = sorted(entry for entry in self.samples.iterdir())
        for number in (0, 1):
            source = self.tmp / f"part{number}"
            source.mkdir()
            for entry in files[number::2]:
                (shutil.copytree if entry.is_dir() else shutil.copy)(entry, source / entry.name)
            self.Report(source, output=f"out{number}", report=f"report{number}")
            parts += ["--state", self.State(self.tmp / f"out{number}")]
        self.assertEqual(0, Command("report", *parts, "--report", self.tmp / "sum").returncode)
        whole, total = ReadJson(first), ReadJson(self.tmp / "sum")
        for key in ("inputs", "outcomes", "kinds", "actions", "text_left", "notes", "bytes_in"):
            self.assertEqual(whole[key], total[key], key)

    def test_rerun_reports_the_same_text(self):
        first = ReadJson(self.Report(self.samples, expect=3))
        second = ReadJson(self.Report(self.samples, report="second", expect=3))
        self.assertEqual(first["outcomes"]["written"], second["outcomes"]["unchanged"] + second["outcomes"]["written"])
        self.assertEqual(first["text_left"], second["text_left"])
        self.assertEqual(first["actions"], second["actions"])

    def test_report_must_not_lie_in_the_output(self):
        for place in ("out/report", "out"):
            result = self.Run("research-export.yaml", self.samples, self.tmp / "out", "--report", self.tmp / place)
            self.assertEqual(2, result.returncode)
            self.assertFalse((self.tmp / "out").exists())
        result = self.Run("research-export.yaml", self.tmp / "nothing", self.tmp / "out", "--report", self.tmp / "r")
        self.assertEqual(2, result.returncode)
        self.assertFalse((self.tmp / "r").exists(), "nothing was touched")
        self.Run("research-export.yaml", self.samples, self.tmp / "out", expect=3)
        result = Command("report", "--state", self.State(self.tmp / "out"), "--report", self.tmp / "r")
        self.assertEqual(1, result.returncode)
        self.assertIn(b"no run with --report", result.stderr)


@unittest.skipUnless(CHROMIUM, "no chromium")
class BrowserTest(Base):
    """The page as a browser makes it."""

    def Dom(self, page, fragment=""):
        result = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.tmp / 'browser'}",
             "--virtual-time-budget=10000", "--dump-dom", page.as_uri() + fragment],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=Timeout(300),
            env={**os.environ, "HOME": os.fspath(self.tmp)})
        self.assertEqual(0, result.returncode, result.stderr[-2000:])
        self.assertNotIn(b"Content Security Policy", result.stderr)
        return result.stdout.decode("utf-8")

    def test_page_in_a_browser(self):
        source = self.tmp / "in"
        shutil.copytree(self.samples, source)
        (source / "hostile").write_bytes(Part10(Plain() + Element(0x00104000, "LT", HOSTILE)))
        folder = self.Report(source, rules="keep-all.yaml")
        page = folder / "report.html"
        written = Rows(page.read_text(encoding="utf-8"), "texts")
        dom = self.Dom(page)
        self.assertIn("<title>De-identification report: keep-all</title>", dom, "the hostile value did nothing")
        self.assertEqual(written, Rows(dom, "texts"))
        self.assertIn("<button", dom)
        self.assertIn(f"{len(written):,} of {len(written):,} rows", dom)
        report = ReadJson(folder)
        figures = dict(re.findall(r"<dt>([^<]*)</dt><dd[^>]*>([^<]*)</dd>", dom[:dom.index("<nav")]))
        self.assertEqual(f"{report['inputs']:,}", figures["Inputs"])
        self.assertEqual(f"{report['outcomes']['quarantined']:,}", figures["Quarantined"])

        times = [int(row[3].replace(",", "")) for row in written]
        self.assertNotEqual(sorted(times, reverse=True), times)
        dom = self.Dom(page, "#sort=texts,Times")
        ordered = Rows(dom, "texts")
        self.assertEqual(sorted(times, reverse=True), [int(row[3].replace(",", "")) for row in ordered])
        self.assertEqual(sorted(written), sorted(ordered))
        self.assertIn('aria-sort="descending"', dom)
        values = [row[2] for row in Rows(self.Dom(page, "#sort=texts,Value"), "texts") if row[2].isalpha()]
        self.assertLess(values.index(min(values, key=str.lower)), values.index(max(values, key=str.lower)))


if __name__ == "__main__":
    Main()
