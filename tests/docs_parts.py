# SPDX-License-Identifier: Apache-2.0
"""What docs_test.py looks at in a Markdown text: blocks, comments that are about them, code in prose,
links."""
import posixpath
import re
import unicodedata

FENCE = re.compile(r"(\s*)(`{3,}|~{3,})\s*([\w+-]*)\s*$")
COMMENT = re.compile(r"\s*<!--\s*(given|not run|not loaded):\s*(.*?)\s*-->\s*$", re.DOTALL)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


class Problem(Exception):
    pass


class Block:
    """A block of code: `kind` is its language, "" without one, or "indented"; `given` for a comment that
    says what the reader has. `notes` are the comments right before it."""

    def __init__(self, kind, text, line, notes):
        self.kind, self.text, self.line, self.notes = kind, text, line, notes


def Parse(text):
    """(blocks, [(line, code in prose)], problems)."""
    lines = text.split("\n")
    blocks, prose, notes, problems = [], [], {}, []
    i = 0
    while i < len(lines):
        line = lines[i]
        start = i + 1
        if fence := FENCE.match(line):
            indent, mark, kind = fence.groups()
            body = []
            i += 1
            while i < len(lines) and not re.fullmatch(rf"\s*{re.escape(mark[0])}{{{len(mark)},}}\s*", lines[i]):
                body.append(lines[i].removeprefix(indent))
                i += 1
            if i == len(lines):
                problems.append(f"{start}: the block is not closed")
            blocks.append(Block(kind, "\n".join(body), start, notes))
            notes = {}
        elif line.lstrip().startswith("<!--"):
            comment = line
            while "-->" not in comment and i + 1 < len(lines):
                i += 1
                comment += "\n" + lines[i]
            if match := COMMENT.match(comment):
                if match[1] == "given":
                    blocks.append(Block("given", match[2], start, {}))
                elif match[2]:
                    notes[match[1]] = " ".join(match[2].split())
                else:
                    problems.append(f"{start}: no reason is given")
        elif line.startswith("    ") and line.strip() and (i == 0 or not lines[i - 1].strip()):
            body = []
            while i < len(lines) and (line.startswith("    ") or not line.strip()):
                body.append(line[4:])
                i += 1
                line = lines[i] if i < len(lines) else ""
            i -= 1
            blocks.append(Block("indented", "\n".join(body), start, notes))
            notes = {}
        else:
            prose.append((start, line))
            if line.strip():
                notes = {}
        i += 1
    return blocks, Spans(prose), problems


def Spans(prose):
    found = []
    for line, text in prose:
        found += [(line, match[2].strip()) for match in SPAN.finditer(text)]
    return found


def Prose(text):
    """The text without code."""
    lines, mark = [], None
    for line in text.split("\n"):
        if mark is None and (fence := FENCE.match(line)):
            mark = fence[2]
        elif mark is not None:
            if line.strip() == mark:
                mark = None
        else:
            lines.append(line)
    return SPAN.sub("", "\n".join(lines))


def Anchors(text):
    """Of headings, as GitHub makes them."""
    anchors, mark = set(), None
    for line in text.split("\n"):
        if fence := FENCE.match(line):
            mark = None if mark == fence[2] else mark or fence[2]
        elif mark is None and (heading := re.match(r"#{1,6}\s+(.*?)\s*#*$", line)):
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            anchor = "".join("-" if c == " " else c for c in words
                             if c in " -_" or unicodedata.category(c)[0] in "LN")
            count, base = 0, anchor
            while anchor in anchors:
                count += 1
                anchor = f"{base}-{count}"
            anchors.add(anchor)
    return anchors


def CheckLinks(texts, exists):
    """`texts`: name -> text of all documents; `exists` tells of other files."""
    problems = []
    for name, text in texts.items():
        for target in LINK.findall(Prose(text)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            other = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            if other not in texts and not exists(other):
                problems.append(f"{name}: the link {target} leads nowhere")
            elif anchor and other in texts and anchor not in Anchors(texts[other]):
                problems.append(f"{name}: {other} has no heading for the link {target}")
    return problems
