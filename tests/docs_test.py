#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the documents and does what they say: runs their commands over made samples, loads their rule
files, follows their links. CONTRIBUTING.md ("Documents") has the convention; tests/docs_given.py what
a document may take as given.

Usage: docs_test.py [PART OF A DOCUMENT'S NAME]...
"""
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "cli"))
from docs_given import Given, Services
from docs_parts import CheckLinks, Parse, Problem
from support import BINARIES, DCMVEIL, SOURCE, Environment, Timeout

DOCUMENTS = ("*.md", "docs/**/*.md", "samples/**/*.md", "tests/**/*.md", "bindings/**/*.md")
# Languages of blocks that are no commands and no rules; what is in them has tests of its own.
OTHER_LANGUAGES = {"cpp", "c++", "c", "python", "cmake", "json", "csv", "xml", "dockerfile"}
COMMANDS = {"dcmveil", "bash", "sh", "cmake", "ctest", "openssl", "python3", "git", "apt-get", "sudo",
            "sbatch", "export", "cd", "mkdir", "cp", "apt", "docker", "cpack", "dpkg"}
# Programs of others whose options documents name; all else must be an option of our own.
FOREIGN = {"cmake", "ctest", "git", "apt-get", "sbatch", "scontrol", "openssl", "ulimit", "valgrind",
           "dpkg", "docker", "debootstrap", "clang-format", "clang-tidy", "cpack", "pkg-config", "chroot"}
EXIT_STATUS = re.compile(r"#.*\bexit status (\d+)")
# A file of the source; NAME and the like stand for some name.
ROOMS = sorted(f.name for f in SOURCE.iterdir() if f.is_dir() and not f.name.startswith((".", "build")))
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(ROOMS)})/[\w./-]*[\w/]")
PLACEHOLDER = re.compile(r"/[A-Z]{4,}\b")
GIVEN_ROOMS = {"samples", "scripts"}  # of Given.Basics
EXAMPLES = {"engine/actions/shorten.cc"}  # CONTRIBUTING.md has it
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")


def IsCommand(line):
    words = line.strip().removeprefix("$ ").split()
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words.pop(0)
    return bool(words) and (words[0] in COMMANDS or words[0].startswith(("build/", "scripts/", "./")) or
                            re.search(r"(^|[\s/])dcmveil [a-z]+ ", line) is not None)


class Command:
    """What the built command and the scripts say about themselves."""

    def __init__(self):
        self.verbs = {}  # ("run",) -> options; () -> those of all
        self._Read(())
        self.all_options = set().union(*self.verbs.values())
        for pattern in ("scripts/*", "bench/*.py", "tests/planted/*.py", "tools/*.cc"):
            for file in SOURCE.glob(pattern):
                if file.is_file():
                    self.all_options |= set(OPTION.findall(file.read_text(encoding="utf-8")))

    def _Read(self, verb):
        text = subprocess.run([DCMVEIL, *verb, "--help"], check=True, capture_output=True, text=True,
                              timeout=Timeout(20)).stdout
        self.verbs[verb] = set(OPTION.findall(text))
        _, _, rest = text.partition("Subcommands:\n")
        for line in rest.splitlines():
            if not line.startswith("  "):
                break
            if line[2] != " ":
                self._Read(verb + (line.split()[0],))

    def Problems(self, line):
        """What is wrong with a command line that is not run."""
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            return []
        if not words or words[0] not in ("dcmveil", "build/dcmveil"):
            return []
        verb = ()
        while len(words) > len(verb) + 1 and verb + (words[len(verb) + 1],) in self.verbs:
            verb += (words[len(verb) + 1],)
        if not verb and len(words) > 1 and re.fullmatch(r"[a-z]+", words[1]):
            return [f"dcmveil has no verb {words[1]}"]
        known = self.verbs[verb] | self.verbs[()]
        return [f"dcmveil {' '.join(verb)} has no option {option}"
                for word in words for option in OPTION.findall(word) if option not in known]


class Document:
    def __init__(self, file, command, given, work):
        self.name = file.relative_to(SOURCE).as_posix()
        self.blocks, self.spans, problems = Parse(file.read_text(encoding="utf-8"))
        self.problems = [f"{self.name}:{problem}" for problem in problems]
        self.command, self.given, self.work = command, given, work
        self.folder = None  # where it began
        self.place = None   # where its reader stands now
        self.folders = []
        self.output = None  # of the commands just run; None: they were not run
        self.ran, self.loaded, self.not_run = 0, 0, []

    def Say(self, line, text):
        self.problems.append(f"{self.name}:{line}: {text}")

    def Folder(self):
        """Where the document's reader stands: a new folder at its beginning and at each `given`."""
        if self.folder is None:
            self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.work))
            self.place = self.folder
            self.folders.append(self.folder)
            self.given.Basics(self.folder)
        return self.folder

    def Check(self):
        for block in self.blocks:
            try:
                self.Step(block)
            except Problem as problem:
                self.Say(block.line, str(problem))
        for line, span in self.spans:
            self.CheckSpan(line, span)

    def Step(self, block):
        reason = block.notes.get("not run") or block.notes.get("not loaded")
        if block.kind == "given":
            self.folder = None
            folder = self.Folder()
            for name in block.text.split():
                self.given.Put(name, folder)
        elif block.kind == "sh":
            if reason:
                self.output = None
                self.not_run.append((block, reason))
                for line in block.text.replace("\\\n", " ").splitlines():
                    for problem in self.command.Problems(line):
                        raise Problem(problem)
            else:
                self.Run(block)
        elif block.kind == "output":
            self.Compare(block)
        elif block.kind == "yaml":
            if reason:
                self.not_run.append((block, reason))
            else:
                self.Load(block)
        elif block.kind not in OTHER_LANGUAGES:
            wrong = [line for line in block.text.splitlines() if IsCommand(line)]
            if wrong:
                raise Problem(f"a command outside of a ```sh block: {wrong[0].strip()}")
            if block.kind not in ("", "indented", "text"):
                raise Problem(f"a block of an unknown kind: {block.kind}")

    def Run(self, block):
        folder = self.Folder()
        text = self.given.services.Real(block.text)
        log, environment, place = folder / ".statuses", folder / ".environment", folder / ".place"
        script = folder / ".block.sh"
        # The reader has one shell for all blocks: where it stands and what it exports is carried on.
        script.write_text(
            f". {environment}; trap 'echo $? >> {log}' ERR\n{text}\n"
            f"trap - ERR; {{ declare -px; echo \"cd '$PWD'\"; }} > {environment}; pwd > {place}\n",
            encoding="utf-8")
        environment.touch()
        log.write_text("")
        path = f"{BINARIES}:/usr/bin:/bin:/usr/sbin:/sbin"
        try:
            done = subprocess.run(["bash", script], cwd=folder, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                                  env=Environment(PATH=path, TERM="dumb", LC_ALL="C.UTF-8"),
                                  timeout=Timeout(60))
        except subprocess.TimeoutExpired as error:
            raise Problem("the commands did not end") from error
        if place.exists():
            self.place = pathlib.Path(place.read_text().rstrip("\n"))
            self.folders.append(self.place)
        # Who calls build/dcmveil stands in the folder of the source.
        taken = [name for name in ROOMS if name not in GIVEN_ROOMS and (folder / name).exists()]
        if taken and re.search(r"(^|\s)(build|samples|scripts)/", text):
            raise Problem(f"the commands write into the source's own {taken[0]}/")
        self.ran += sum(IsCommand(line) for line in block.text.splitlines())
        self.output = self.given.services.Documented(done.stdout)
        expected = EXIT_STATUS.findall(block.text)
        seen = log.read_text().split()
        if seen != expected:
            raise Problem(f"exit statuses {seen or 'all 0'} instead of {expected or 'all 0'}:\n{done.stdout}")

    def Compare(self, block):
        """`…` stands for anything in a line; alone, for any lines."""
        if self.output is None:
            raise Problem("an output without commands that were run before")
        pattern = "".join("(?:.*\n)*?" if line.strip() == "…" else
                          ".*".join(re.escape(part) for part in line.split("…")) + "\n"
                          for line in block.text.splitlines())
        if re.fullmatch(pattern, self.output.rstrip("\n") + "\n") is None:
            raise Problem(f"the commands say something else:\n{self.output}")

    def Load(self, block):
        text = self.given.services.Real(block.text)
        first = re.match(r"# ([\w.-]+\.yaml)\n", text)
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise Problem(f"no YAML: {error}") from error
        self.Folder()
        file = self.place / (first[1] if first else f".block-{block.line}.yaml")
        if isinstance(content, list):
            text = "dcmveil: 1\nrules:\n" + "".join(f"  {line}\n" for line in text.splitlines())
        elif isinstance(content, dict) and "connections" in content:
            file.write_text(text, encoding="utf-8")
            self.given.LoadConnections(file)
            self.loaded += 1
            return
        elif isinstance(content, dict) and "dcmveil" not in content:
            rest = "" if content.keys() & {"rules", "profile"} else "rules: []\n"
            text = f"dcmveil: 1\n{text}\n{rest}"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run([DCMVEIL, "check", "-r", file], cwd=self.place, env=Environment(), text=True,
                              capture_output=True, timeout=Timeout(20))
        self.loaded += 1
        if done.returncode != 0:
            raise Problem(f"the rules do not load:\n{done.stdout}{done.stderr}")

    def CheckSpan(self, line, span):
        words = span.split()
        if not words or words[0] in FOREIGN:
            return
        for path in PATH.findall(span):
            if PLACEHOLDER.search(path) or path in EXAMPLES or any((f / path).exists() for f in self.folders):
                continue
            if not any(True for pattern in (path, path + ".*") for _ in SOURCE.glob(pattern.rstrip("/"))):
                self.Say(line, f"there is no {path}")
        for problem in self.command.Problems(span):
            self.Say(line, problem)
        for option in OPTION.findall(span):
            if option not in self.command.all_options:
                self.Say(line, f"no program of ours has the option {option}")


def CheckSelf(command, given, work):
    """The checks find what they are for."""
    wrong = {
        "```sh\nfalse\n```\n": "exit statuses",
        "```sh\ntrue  # exit status 3\n```\n": "exit statuses",
        "```sh\necho a\n```\n```output\nb\n```\n": "something else",
        "<!-- not run: no reason -->\n```sh\ndcmveil run --no-such-thing\n```\n": "no option",
        "    dcmveil check -r rules.yaml\n": "outside of a ```sh block",
        "```\nbuild/dcmveil check\n```\n": "outside of a ```sh block",
        "    * * * * * cd x && dcmveil run -r y\n": "outside of a ```sh block",
        "```text\ndcmveil run\n```\n": "outside of a ```sh block",
        "```bash\ntrue\n```\n": "unknown kind",
        "```sh\nmkdir report; build/dcmveil --version\n```\n": "source's own report/",
        "```yaml\ndcmveil: 1\nrules: [{tag: NoSuchKeyword, action: keep}]\n```\n": "do not load",
        "```yaml\nconnections: {a: {}}\n```\n": "connections do not load",
        "The option `--no-such-thing`.\n": "no program of ours",
        "Call `dcmveil unknown`.\n": "no verb",
        "See `engine/no_such_file.cc`.\n": "there is no",
        "<!-- given: no-such-thing -->\n": "nothing is known",
        "```sh\ntrue\n": "is not closed",
    }
    file = SOURCE / "README.md"
    found = []
    for text, expected in wrong.items():
        document = Document(file, command, given, work)
        document.blocks, document.spans, document.problems = Parse(text)
        document.Check()
        if not any(expected in problem for problem in document.problems):
            found.append(f"self-test: nothing found in {text!r}: {document.problems}")
    right = "```sh\necho a b; (exit 3) # exit status 3\n```\n```output\na…\n```\n```cpp\nint a;\n```\n"
    document = Document(file, command, given, work)
    document.blocks, document.spans, document.problems = Parse(right)
    document.Check()
    links = CheckLinks({"a.md": "# One thing\n[x](#one-thing) [y](a.md#none) [z](b.md)"}, lambda name: False)
    if len(links) != 2:
        found.append(f"self-test: links: {links}")
    return found + [f"self-test: {problem}" for problem in document.problems]


def CheckReadOn(texts):
    """Each page is named in the README."""
    named = set(re.findall(r"\]\((docs/[\w.-]+\.md)", texts["README.md"]))
    return [f"README.md: {name} is not in it" for name in sorted(texts)
            if re.fullmatch(r"docs/[^/]+\.md", name) and name not in named]


def Main():
    if not DCMVEIL.exists():
        sys.exit(f"no dcmveil in {BINARIES}; build it or set DCMVEIL_BINARY_DIR")
    files = sorted({file for pattern in DOCUMENTS for file in SOURCE.glob(pattern)})
    work = pathlib.Path(tempfile.mkdtemp(prefix="dcmveil-docs-"))
    services = Services(work)
    given = Given(work, services)
    problems, ran, loaded = [], 0, 0
    try:
        command = Command()
        problems += CheckSelf(command, given, work)
        for file in files:
            if len(sys.argv) > 1 and not any(part in str(file) for part in sys.argv[1:]):
                continue
            document = Document(file, command, given, work)
            document.Check()
            problems += document.problems
            ran, loaded = ran + document.ran, loaded + document.loaded
            for block, reason in document.not_run:
                print(f"not run: {document.name}:{block.line}: {reason}")
        texts = {file.relative_to(SOURCE).as_posix(): file.read_text(encoding="utf-8") for file in files}
        problems += CheckLinks(texts, lambda name: (SOURCE / name).exists()) + CheckReadOn(texts)
    finally:
        services.Stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{ran} command(s) run, {loaded} rule file(s) loaded, {len(problems)} problem(s)")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(Main())
