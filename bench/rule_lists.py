# SPDX-License-Identifier: Apache-2.0
"""Rule files of any length, to see what a rule more costs. Rules of all kinds stand in front of a tail
that is the same in each file and decides what they leave, so that files with few and with many rules
give the engine much the same work but for finding the rule."""
import csv

MOST = 620
TAIL = """  - {tag: PatientID, action: pseudonym}
  - {vr: UI, action: refresh-uid}
  - {vr: [PN, DA, DT, TM], action: redact}
  - {group: odd, action: remove}
otherwise: keep
guard: off
"""


def Keywords(source):
    """Attributes of the profile's table that are neither sequences nor needed for output names."""
    with open(source / "rules/profiles/basic.csv", encoding="utf-8") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return [row["keyword"] for row in rows
                if row["keyword"] and row["vr"] not in ("UI", "SQ", "") and row["keyword"] != "PatientID"]


def Rules(keywords):
    """Each can be reached: no two name the same attribute, and paths stand before their attribute."""
    tags, paths = iter(keywords), iter(reversed(keywords))
    for number in range(MOST):
        action = ("remove", "redact")[number % 2]
        kind = number % 16
        if kind in (0, 8):
            yield f"{{private: {{creator: BENCH {number}, tag: \"(0029,xx10)\"}}, action: remove}}"
        elif kind in (1, 9):
            yield f"{{path: RequestAttributesSequence/{next(paths)}, action: remove}}"
        elif kind == 2:
            yield f"{{tag: \"(0074,{128 + number // 16:02x}xx)\", action: remove}}"
        elif kind == 3:
            yield f"{{tag: {next(tags)}, when: {{Modality: [CT, MR, B{number}]}}, action: {action}}}"
        else:
            yield f"{{tag: {next(tags)}, action: {action}}}"


def Write(path, source, count):
    """`count` rules: of the longest list as many evenly picked ones, and the tail's."""
    rules = list(Rules(Keywords(source)))
    wanted = count - TAIL.count("  - ")
    picked = [rules[number * MOST // wanted] for number in range(wanted)]
    path.write_text(f"dcmveil: 1\nname: benchmark of {count} rules\nrules:\n" +
                    "".join(f"  - {rule}\n" for rule in picked) + TAIL)
    return path
