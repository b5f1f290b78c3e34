# SPDX-License-Identifier: Apache-2.0
"""Man pages and completions, as groff, mandoc, bash and zsh read them, against what --help says."""
import fcntl
import os
import pathlib
import pty
import re
import select
import shlex
import struct
import subprocess
import termios
import time

from support import BINARIES, CliTest, Command, Main

PAGES = BINARIES / "man" / "man1"
BASH = BINARIES / "completion" / "dcmveil"
ZSH = BINARIES / "completion" / "_dcmveil"


class Help:
    """What --help of a verb lists."""

    def __init__(self, *path):
        self.path = path
        self.text = Command(*path, "--help").stdout.decode()
        part = lambda title: re.search(rf"(?ms)^{title}:\n(.*?)(\n\n|\Z)", self.text + "\n\n")
        options = part("Options")
        lines = re.findall(r"(?m)^  (-\S+)(.*)", options[1])
        self.options = [name for names, _ in lines for name in names.split(",")]
        self.choices = {names.split(",")[-1]: found[1].split(",") for names, rest in lines
                        if (found := re.match(r" [^ ]*:\{(.*?)\}", rest))}
        verbs = part("Subcommands")
        self.verbs = re.findall(r"(?m)^  (\S+)", verbs[1]) if verbs else []
        self.examples = re.findall(r"(?m)^  (.*)", part("Examples")[1]) if part("Examples") else []


def AllHelp(*path):
    found = Help(*path)
    return [found] + [help for verb in found.verbs for help in AllHelp(*path, verb)]


class ManualTest(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.help = AllHelp()


class Pages(ManualTest):
    def test_help_is_read(self):
        """What the other tests compare with is not empty."""
        paths = [help.path for help in self.help]
        for path in ((), ("run",), ("proof", "make"), ("crosswalk", "open"), ("import", "ctp")):
            self.assertIn(path, paths)
        run = next(help for help in self.help if help.path == ("run",))
        self.assertTrue({"-r", "--rules", "-q", "--quiet", "--shard-by"} <= set(run.options))
        self.assertEqual({"--retrieve": ["instance", "series", "study"]}, run.choices)

    def test_every_verb_and_option(self):
        pages = {}
        for help in self.help:
            name = "-".join(("dcmveil", *help.path[:1]))
            page = (PAGES / f"{name}.1").read_text().replace("\\-", "-")
            pages[name] = page
            if len(help.path) == 2:  # a section of its own
                page = re.search(rf"(?ms)^\.SH DCMVEIL {' '.join(help.path).upper()}\n(.*?)^\.SH", page)[1]
            else:
                page = re.search(r"(?ms)^\.SH OPTIONS\n(.*?)^\.SH ", page)[1]
            for option in help.options:
                self.assertRegex(page, rf"(?m)^\.TP\n.*\\fB{option}\\fR", help.path)
            for option, choices in help.choices.items():
                for choice in choices:
                    self.assertIn(f"\\fB{choice}\\fR", page, option)
        for verb in self.help[0].verbs:
            self.assertIn(f"dcmveil-{verb}", pages)
            self.assertIn(f"\\fBdcmveil-{verb}\\fR(1)", pages["dcmveil"])
        self.assertEqual({f"{name}.1" for name in pages}, set(os.listdir(PAGES)), "no page is left over")

    def test_sections(self):
        for page in PAGES.iterdir():
            sections = re.findall(r"(?m)^\.SH (.*)", page.read_text())
            for wanted in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"):
                self.assertIn(wanted, sections, page)

    def test_roff(self):
        broken = self.tmp / "broken.1"
        broken.write_text('.TH BROKEN 1 "" ""\n.SH NAME\nbroken \\- \\fQbroken\n.XX\n')
        for page in [broken, *PAGES.iterdir()]:
            said = b""
            for program in (("groff", "-ww", "-z", "-man", "-Tutf8"), ("mandoc", "-T", "lint", "-W", "warning")):
                result = subprocess.run([*program, page], capture_output=True, timeout=60)
                said += result.stdout + result.stderr
            # A page bears a version and no date, so that the same source gives the same page.
            said = b"\n".join(line for line in said.splitlines() if b"missing date" not in line)
            self.assertEqual(page == broken, said != b"", said)

    def test_as_shown(self):
        for page in PAGES.iterdir():
            shown = subprocess.run(["man", "-l", page], capture_output=True, timeout=60, check=True,
                                   env={**os.environ, "MANWIDTH": "200", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"})
            self.assertEqual(b"", shown.stderr)
            text = re.sub(".\b", "", shown.stdout.decode())
            help = Command(*page.stem.split("-")[1:], "--help").stdout.decode()
            for example in re.search(r"(?ms)^Examples:\n(.*?)\n\n", help)[1].splitlines():
                self.assertIn(example.strip(), text)

    def test_examples_can_be_typed(self):
        """Every option and operand of the examples is one of the command's; files need not exist."""
        for help in self.help:
            if len(help.path) < 2:
                self.assertGreater(len(help.examples), 0, help.path)
            for example in help.examples:
                words = shlex.split(example)
                while {"<", ">"} & set(words):
                    at = next(i for i, word in enumerate(words) if word in "<>")
                    del words[at:at + 2]
                self.assertEqual("dcmveil", words[0])
                self.assertIn(" ".join(words[1:2]), self.help[0].verbs)
                said = Command(*words[1:], cwd=self.tmp).stderr.decode()
                self.assertNotRegex(said, "no such (verb|option)|is required|requires|not expected", example)


class Shell:
    """A shell in a terminal, which writes its command line to a file when Control-X is typed."""

    def __init__(self, program, setup, folder, env):
        self.out = pathlib.Path(folder) / "line"
        self.out.touch()
        environment = {"PATH": os.environ["PATH"], "HOME": os.fspath(folder), "TERM": "dumb", "OUT": os.fspath(self.out),
                       **env}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(program[0], program, environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 200, 0, 0))
        self.seen = b""
        for line in (*setup, "echo ready >> $OUT"):
            os.write(self.terminal, line.encode() + b"\n")
        self._Wait("ready")

    def Complete(self, line):
        """The line after the tabulator key, and what zsh offered."""
        self.out.write_text("")
        os.write(self.terminal, line.encode() + b"\t\x18")
        text = self._Wait("\n>>\n")
        os.write(self.terminal, b"\x15")  # the line is deleted
        offered, _, after = text.removesuffix("\n>>\n").rpartition("<<")
        return after, offered.split()

    def Close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)

    def _Wait(self, wanted):
        end = time.monotonic() + 60
        while wanted not in (text := self.out.read_text()):
            if time.monotonic() > end:
                raise AssertionError(f"no answer: {self.seen[-2000:]!r}")
            if select.select([self.terminal], [], [], 0.02)[0]:
                self.seen += os.read(self.terminal, 65536)
        return text


# zsh: every word that is offered goes to the file, by a function in front of compadd.
ZSH_SETUP = (
    "fpath=($COMPLETION $fpath); autoload -Uz compinit; compinit -u -D; LISTMAX=0",
    "compadd() { if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]]; then local -a hits; "
    "builtin compadd -O hits \"$@\"; print -rl -- $hits >> $OUT; fi; builtin compadd \"$@\" }",
    "show() { print -r -- \"<<$BUFFER\"$'\\n>>' >> $OUT }; zle -N show; bindkey -e; bindkey '^X' show",
)
BASH_SETUP = (
    "set +o history; bind 'set enable-bracketed-paste off'; source $COMPLETION/dcmveil",
    "show() { printf '<<%s\\n>>\\n' \"$READLINE_LINE\" >> $OUT; }; bind -x '\"\\C-x\": show'",
)


class Completion(ManualTest):
    def Open(self, *arguments):
        for name in ("rules.yaml", "two words.yaml", "dcmveil.key"):
            (self.tmp / name).touch()
        (self.tmp / "archive").mkdir()
        shell = Shell(*arguments, self.tmp, {"COMPLETION": os.fspath(BASH.parent)})
        self.addCleanup(shell.Close)
        return shell

    def ExpectPaths(self, shell):
        for typed, expected in (
                ("dcmveil ru", "dcmveil run "),
                ("dcmveil proof ch", "dcmveil proof check "),
                ("dcmveil run --sign", "dcmveil run --sign-key"),
                ("dcmveil check -r ru", "dcmveil check -r rules.yaml "),
                ("dcmveil check --rules=ru", "dcmveil check --rules=rules.yaml "),
                ("dcmveil check -r two", "dcmveil check -r two\\ words.yaml "),
                ("dcmveil run -r rules.yaml -i ar", "dcmveil run -r rules.yaml -i archive/"),
                ("dcmveil run --state dcm", "dcmveil run --state dcm"),  # no folder, a file
                ("dcmveil run --state ar", "dcmveil run --state archive/"),
                ("dcmveil run --retrieve se", "dcmveil run --retrieve series "),
                ("dcmveil run --retrieve=se", "dcmveil run --retrieve=series "),
                ("dcmveil explain -r rules.yaml dcm", "dcmveil explain -r rules.yaml dcmveil.key "),
                ("dcmveil keygen dcm", "dcmveil keygen dcmveil.key "),
                ("dcmveil run -j 2 --dry", "dcmveil run -j 2 --dry-run ")):
            line, _ = shell.Complete(typed)
            # zsh puts no space behind an option whose value can follow = as well, bash does.
            self.assertIn(line, (expected, expected + " ", expected + "="), typed)

    def test_bash(self):
        self.ExpectPaths(self.Open(("bash", "--norc", "-i"), BASH_SETUP))

    def test_zsh(self):
        subprocess.run(["zsh", "-n", ZSH], check=True, timeout=60)
        self.ExpectPaths(self.Open(("zsh", "-f", "-i"), ZSH_SETUP))

    def test_zsh_offers_every_verb_and_option(self):
        shell = self.Open(("zsh", "-f", "-i"), ZSH_SETUP)
        for help in self.help:
            line = " ".join(("dcmveil", *help.path))
            _, offered = shell.Complete(f"{line} -")
            self.assertEqual(set(help.options), {word.rstrip("=") for word in offered}, line)
            if help.verbs:
                _, offered = shell.Complete(f"{line} ")
                self.assertEqual(set(help.verbs), set(offered), line)
            for option, choices in help.choices.items():
                _, offered = shell.Complete(f"{line} {option} ")
                self.assertEqual(set(choices), set(offered), line)

    def Ask(self, *words):
        """What bash is offered for the last of the words."""
        script = ('source "$1" && shift && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1)) && _dcmveil && '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        result = subprocess.run(["bash", "--norc", "-c", script, "bash", BASH, *words], capture_output=True,
                                timeout=60, check=True)
        self.assertEqual(b"", result.stderr)
        return result.stdout.decode().split()

    def test_bash_offers_every_verb_and_option(self):
        for help in self.help:
            path = ("dcmveil", *help.path)
            self.assertEqual(help.options, self.Ask(*path, "-"))
            if help.verbs:
                self.assertEqual(help.verbs, self.Ask(*path, ""))
            for option, choices in help.choices.items():
                self.assertEqual(choices, self.Ask(*path, option, ""))
                self.assertEqual(choices, self.Ask(*path, option, "="))
                self.assertEqual(choices[:1], self.Ask(*path, option, "=", choices[0]))
        # Values of options are no verbs, and what is behind them is still understood.
        self.assertEqual(["--sign-key"], self.Ask("dcmveil", "run", "-i", "proof", "--state", "run", "--sign"))


if __name__ == "__main__":
    Main()
