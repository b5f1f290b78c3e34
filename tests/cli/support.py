# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: they run the built command as users do, and look at its files.

Environment: DCMVEIL_BINARY_DIR, the build folder (set by ctest; else build/ in the source folder);
DCMVEIL_SHARED, the folder that has corpus/ (else ../shared beside the source folder).
"""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("DCMVEIL_BINARY_DIR", SOURCE / "build")).resolve()
DCMVEIL = BINARIES / "dcmveil"
MAKE_SAMPLES = BINARIES / "make_samples"
RULES = SOURCE / "samples" / "rules"
SHARED = pathlib.Path(os.environ.get("DCMVEIL_SHARED", SOURCE.parent / "shared"))
CORPUS = SHARED / "corpus"
OUTCOMES = ("written", "unchanged", "rejected", "quarantined", "failed")
DEFLATED = "1.2.840.10008.1.2.1.99"
KEY_A = "00112233445566778899aabbccddeeff0123456789abcdef0f1e2d3c4b5a6978"
KEY_B = "ffeeddccbbaa99887766554433221100fedcba98765432100123456789abcdef"


def Sanitized():
    """Whether the binary is instrumented; such a one is slow and needs much memory."""
    if not hasattr(Sanitized, "answer"):
        data = DCMVEIL.read_bytes()
        Sanitized.answer = b"__asan_init" in data or b"__tsan_init" in data
    return Sanitized.answer


def Timeout(seconds):
    return seconds * (20 if Sanitized() else 1)


def NeedsCorpus(test):
    reason = f"no corpus at {CORPUS} (set DCMVEIL_SHARED)"
    return unittest.skipUnless(CORPUS.is_dir(), reason)(test)


def Environment(**more):
    environment = dict(os.environ)
    environment.pop("DCMVEIL_KEY", None)
    environment.update(more)
    return environment


def CheckHealth(result):
    """No test expects a crash or a sanitizer's complaint, whatever else it expects."""
    stderr = result.stderr or b""
    for sign in (b"Sanitizer", b"runtime error:", b"terminate called", b"Assertion"):
        if sign in stderr:
            raise AssertionError(stderr.decode("utf-8", "replace")[-4000:])
    if result.returncode < 0 or result.returncode not in (0, 1, 2, 3, 4, 130):
        raise AssertionError(f"exit status {result.returncode}: {stderr[-2000:]!r}")


def Command(*arguments, env=None, timeout=60, **more):
    """Runs dcmveil; returns CompletedProcess with stdout and stderr as bytes."""
    result = subprocess.run([os.fspath(DCMVEIL), *map(os.fspath, arguments)],
                            stdin=more.pop("stdin", subprocess.DEVNULL) if "input" not in more else None,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=env or Environment(), timeout=Timeout(timeout), **more)
    CheckHealth(result)
    return result


def WriteKey(path, hexadecimal=KEY_A):
    path.write_text("# dcmveil key v1, keep secret\n" + hexadecimal + "\n")
    path.chmod(0o600)
    return path


def MakeSamples(folder, *arguments):
    subprocess.run([os.fspath(MAKE_SAMPLES), os.fspath(folder), *map(str, arguments)], check=True,
                   stdout=subprocess.DEVNULL, timeout=Timeout(60))
    return pathlib.Path(folder)


def Walk(folder):
    """Names of everything below that is no folder, relative, as bytes, sorted."""
    base = os.fsencode(folder)
    names = []
    for root, folders, files in os.walk(base):
        for name in files + [f for f in folders if os.path.islink(os.path.join(root, f))]:
            names.append(os.path.relpath(os.path.join(root, name), base))
    return sorted(names)


def Folders(folder):
    base = os.fsencode(folder)
    return sorted(os.path.relpath(os.path.join(root, f), base)
                  for root, folders, _ in os.walk(base) for f in folders)


def Tree(folder):
    """Name -> bytes of every file below."""
    base = os.fsencode(folder)
    tree = {}
    for name in Walk(folder):
        with open(os.path.join(base, name), "rb") as file:
            tree[name] = file.read()
    return tree


def Snapshot(folder):
    """Name -> (size, mtime, inode, mode) of every file and folder below."""
    base = os.fsencode(folder)
    seen = {}
    for name in Walk(folder) + Folders(folder):
        info = os.lstat(os.path.join(base, name))
        seen[name] = (info.st_size, info.st_mtime_ns, info.st_ino, info.st_mode)
    return seen


def Split(data):
    """(transfer syntax, data set inflated, file meta) of a Part 10 file."""
    assert data[128:132] == b"DICM", "not a Part 10 file"
    position, end, syntax = 132, len(data), ""
    while position + 8 <= end and data[position:position + 2] == b"\x02\x00":
        element, vr = struct.unpack_from("<H", data, position + 2)[0], data[position + 4:position + 6]
        if vr in (b"OB", b"UN"):
            length, start = struct.unpack_from("<I", data, position + 8)[0], position + 12
        else:
            length, start = struct.unpack_from("<H", data, position + 6)[0], position + 8
        if element == 0x10:
            syntax = data[start:start + length].rstrip(b"\0 ").decode()
        position = start + length
    body = data[position:]
    if syntax == DEFLATED:
        body = zlib.decompress(body, -zlib.MAX_WBITS)
    return syntax, body, data[:position]


def Inflated(data):
    """The bytes that a reader gets to see."""
    try:
        syntax, body, meta = Split(data)
    except (AssertionError, zlib.error, struct.error):
        return data
    return meta + body if syntax == DEFLATED else data


class Identifier:
    def __init__(self, file, kind, text):
        self.file, self.kind, self.text = file, kind, text
        self.spellings = Spellings(kind, text)


def Spellings(kind, text):
    if kind == "hex":
        return {bytes.fromhex(text)}
    spellings = set()
    forms = {text}
    if kind in ("date", "birthdate") and len(text) == 8 and text.isdigit():
        year, month, day = text[:4], text[4:6], text[6:]
        forms |= {f"{year}-{month}-{day}", f"{year}.{month}.{day}", f"{day}.{month}.{year}"}
    for form in forms:
        for charset in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
            try:
                spellings.add(form.encode(charset))
            except UnicodeEncodeError:
                pass
    return spellings


def ReadIdentifiers(samples):
    found = []
    with open(samples / "identifiers.txt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            file, kind, text = line.rstrip("\n").split("\t")
            found.append(Identifier(file, kind, text))
    return found


def FindLeaks(blobs, identifiers):
    """(name of blob, kind, text) of each identifier that stands in one of the blobs."""
    joined = b"\0".join(blobs.values())
    leaks = []
    for spelling, identifier in {s: i for i in identifiers for s in i.spellings}.items():
        if spelling not in joined:
            continue
        leaks += [(name, identifier.kind, identifier.text)
                  for name, data in blobs.items() if spelling in data]
    return leaks


def Element(tag, vr, value):
    """One element in explicit VR little endian."""
    if isinstance(value, str):
        value = value.encode("latin-1")
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB", "UN") else b" "
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr in ("OB", "OW", "UN", "SQ", "UT", "UC"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def Part10(body, uid="1.2.826.0.1.3680043.10.999.77.1", syntax="1.2.840.10008.1.2.1",
           sop_class="1.2.840.10008.5.1.4.1.1.7"):
    """A file with that data set; CT or SC, explicit VR little endian unless told."""
    meta = (Element(0x00020001, "OB", b"\0\1") + Element(0x00020002, "UI", sop_class) +
            Element(0x00020003, "UI", uid) + Element(0x00020010, "UI", syntax))
    return (bytes(128) + b"DICM" + Element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta +
            body)


def Plain(uid="1.2.826.0.1.3680043.10.999.77.1", patient_id="HOST-0001",
          sop_class="1.2.840.10008.5.1.4.1.1.7"):
    """The first elements of a data set; more may follow."""
    return (Element(0x00080005, "CS", "ISO_IR 100") + Element(0x00080016, "UI", sop_class) +
            Element(0x00080018, "UI", uid) + Element(0x00080060, "CS", "OT") +
            Element(0x00100010, "PN", "Wirtmann^Wilma") + Element(0x00100020, "LO", patient_id))


def MakeCopies(template, folder, count):
    """Copies of a sample, each with an SOP Instance UID of its own."""
    data = template.read_bytes()
    place = Split(data)[2].index(b"\x02\x00\x03\x00UI")
    length = struct.unpack_from("<H", data, place + 6)[0]
    uid = data[place + 8:place + 8 + length].rstrip(b"\0")
    assert len(uid) >= 30 and data.count(uid) >= 2
    folder.mkdir()
    for number in range(count):
        new = b"1.2.826.0.1.99." + b"1%0*d" % (len(uid) - 16, number)
        (folder / f"{number:05}").write_bytes(data.replace(uid, new))
    return folder


def MakeStudies(template, folder, studies, slices):
    """Copies of a sample: so many studies of so many instances."""
    data = template.read_bytes()
    meta = Split(data)[2]

    def Uid(tag):
        place = data.index(tag, 0 if tag[:2] == b"\2\0" else len(meta))
        length = int.from_bytes(data[place + 6:place + 8], "little")
        return data[place + 8:place + 8 + length].rstrip(b"\0")

    instance, study = Uid(b"\2\0\3\0UI"), Uid(b"\x20\0\x0d\0UI")
    folder.mkdir()
    for number in range(studies * slices):
        copy = data.replace(instance, b"1.2.826.0.1.98." + b"1%0*d" % (len(instance) - 16, number))
        copy = copy.replace(study, b"1.2.826.0.1.97." +
                            b"1%0*d" % (len(study) - 16, number % studies))
        (folder / f"{number:05}").write_bytes(copy)


class CliTest(unittest.TestCase):
    """Has a temporary folder a test (self.tmp) and samples a class (self.samples)."""
    maxDiff = 4000
    sample_arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.class_tmp = pathlib.Path(tempfile.mkdtemp(prefix="dcmveil-cli-"))
        cls.addClassCleanup(shutil.rmtree, os.fsencode(cls.class_tmp), ignore_errors=True)
        cls.samples = MakeSamples(cls.class_tmp / "samples", *cls.sample_arguments)
        cls.key = WriteKey(cls.class_tmp / "a.key")
        cls.other_key = WriteKey(cls.class_tmp / "b.key", KEY_B)

    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="t", dir=self.class_tmp))
        self.addCleanup(shutil.rmtree, os.fsencode(self.tmp), ignore_errors=True)

    @classmethod
    def Arguments(cls, rules, source, output, *more, key=None):
        rules = RULES / rules if isinstance(rules, str) else rules
        arguments = ["run", "-r", rules, "-i", source, "-o", output]
        if "keep-all" not in rules.name:
            arguments += ["--key", key or cls.key]
        return arguments + list(more)

    @classmethod
    def Run(cls, rules, source, output, *more, key=None, expect=None, **options):
        if "teaching" in str(rules):
            options.setdefault("env", Environment(DCMVEIL_KEY=KEY_A))
        result = Command(*cls.Arguments(rules, source, output, *more, key=key), **options)
        if expect is not None and result.returncode != expect:
            raise AssertionError(f"exit status {result.returncode} instead of {expect}: "
                                 f"{result.stdout!r} {result.stderr!r}")
        return result

    @staticmethod
    def State(output):
        return pathlib.Path(os.fspath(output) + ".dcmveil")

    @classmethod
    def ManifestBytes(cls, output):
        return (cls.State(output) / "manifest.ndjson").read_bytes()

    @classmethod
    def Manifest(cls, output):
        text = cls.ManifestBytes(output).decode("utf-8")
        if text and not text.endswith("\n"):
            raise AssertionError("the manifest's last line is cut")
        return [json.loads(line) for line in text.splitlines()]

    @classmethod
    def ByInput(cls, output):
        return {line["input"]: line for line in cls.Manifest(output)}

    @classmethod
    def Pairs(cls, source, output):
        """(input file, output file, manifest line) of each instance that has an output."""
        return [(pathlib.Path(source) / line["input"], pathlib.Path(output) / line["output"], line)
                for line in cls.Manifest(output) if line["output"] is not None]

    def ExpectNoLeak(self, folder, identifiers, allowed=()):
        """No identifier in any byte or name below `folder`; `allowed` has (kind, text) kept on
        purpose."""
        blobs = {}
        for name, data in Tree(folder).items():
            blobs[name] = name + b"\0" + Inflated(data)
        for name in Folders(folder):
            blobs[name + b"/"] = name
        leaks = [leak for leak in FindLeaks(blobs, identifiers) if leak[1:] not in set(allowed)]
        self.assertEqual([], leaks)

    def ExpectSameTrees(self, one, other):
        first, second = Tree(one), Tree(other)
        self.assertEqual(sorted(first), sorted(second))
        self.assertEqual([], [name for name in first if first[name] != second[name]])

    def ExpectConsistent(self, source, output):
        """The promises about a finished run that hold for any input."""
        lines = self.Manifest(output)
        inputs = sorted(os.fsencode(line["input"]) for line in lines)
        self.assertEqual(Walk(source), inputs, "every input has exactly one line")
        for line in lines:
            self.assertLessEqual({"input", "output", "outcome", "reason"}, set(line))
            self.assertLessEqual(set(line),
                                 {"input", "input_bytes", "output", "output_bytes", "outcome",
                                  "reason", "where", "notes"})
            self.assertIn(line["outcome"], OUTCOMES)
            has_output = line["outcome"] in ("written", "unchanged")
            self.assertEqual(has_output, line["output"] is not None, line["outcome"])
            self.assertEqual(has_output, line["reason"] is None, line["outcome"])
        outputs = [os.fsencode(line["output"]) for line in lines if line["output"] is not None]
        self.assertEqual(len(outputs), len(set(outputs)), "an output belongs to one input")
        self.assertEqual(sorted(outputs), Walk(output), "files on disk are those of the manifest")
        expected = {os.path.dirname(name) for name in outputs} - {b""}
        for name in list(expected):
            while os.path.dirname(name):
                name = os.path.dirname(name)
                expected.add(name)
        self.assertEqual(sorted(expected), Folders(output), "no other folder is left")
        return lines


def Main():
    if not DCMVEIL.exists() or not MAKE_SAMPLES.exists():
        sys.exit(f"no dcmveil or make_samples in {BINARIES}; build it or set DCMVEIL_BINARY_DIR")
    # Of odd values, which are the input's own; the command's warnings are another thing.
    unittest.main(verbosity=2, warnings="ignore")
