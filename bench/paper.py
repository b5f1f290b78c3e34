# SPDX-License-Identifier: Apache-2.0
"""Results as Markdown tables and as a plot (SVG), and both put into docs/performance.md."""
import math
import re
import statistics

TOOLS = ("cp -r", "dcmveil -j 2", "dcmveil -j 1", "dcmodify", "gdcmanon -e")
COPY, OTHER, JUDGED = "cp -r", "gdcmanon -e", "dcmveil -j 2"
COLOURS = {"cp -r": "#6b7280", "dcmveil -j 2": "#0f62a8", "dcmveil -j 1": "#5fa8e0",
           "dcmodify": "#b7791f", "gdcmanon -e": "#b0413e"}
WALL_LIMITS = {"A": 1.0, "B": 2.0, "C": 1.1, "D": 1.3}
CPU_LIMITS = {"A": 2.0}
MEMORY_LIMIT = 64e6


# ---------------------------------------------------------------------------------- numbers


def Number(value):
    """Three digits, in the reader's units."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def Spread(values):
    """Median, and least and most where there is more than one."""
    text = Number(statistics.median(values))
    return text if len(values) < 2 else f"{text} ({Number(min(values))}–{Number(max(values))})"


def Table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * 2 + "|---:" * (len(head) - 2) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


class Runs:
    """The comparison's runs by place, set and tool."""

    def __init__(self, results):
        self.all = {}
        for run in results["runs"]:
            self.all.setdefault((run["place"], run["set"], run["tool"]), []).append(run)
        self.places = list(dict.fromkeys(run["place"] for run in results["runs"]))
        self.sets = list(dict.fromkeys(run["set"] for run in results["runs"]))

    def Of(self, place, name, tool):
        return self.all.get((place, name, tool), [])

    def Ratios(self, place, name, tool, other, of):
        """Round by round, each for one file: gdcmanon does not take all."""
        pairs = {run["round"]: run for run in self.Of(place, name, other)}
        return [of(run) / run["files"] / (of(pairs[run["round"]]) / pairs[run["round"]]["files"])
                for run in self.Of(place, name, tool)
                if run["round"] in pairs and of(pairs[run["round"]]) > 0]


def Wall(run):
    return run["wall"]


def Cpu(run):
    return run["user"] + run["system"]


def Flushed(run):
    return run["wall"] + run["flush"]


def OrNone(values):
    return Spread(values) if values else "–"


# ---------------------------------------------------------------------------------- tables


def Tables(results):
    parts = [Head(results), Judged(results), Compared(results), Each(results), Phases(results), Calls(results), Peaks(results),
             Remarks(results)]
    return "\n".join(part for part in parts if part)


def Head(results):
    about = results["about"]
    places = ", ".join(f"{name} ({kind})" if name != kind else name for name, kind in about["places"].items())
    lines = [f"Measured at scale {about['scale']:g}, {about['rounds']} rounds, on {places}; {about['cores']} cores, "
             f"{about['processor']}, Linux {about['kernel']}; sets from {about['sets from']}; load before "
             f"{about['load before']:.1f}; commit {about['commit']}.\n"]
    if results["sets"]:
        lines.append(Table(("set", "what", "files", "MB"),
                           [(name, one["what"], f"{one['files']:,}", Number(one["bytes"] / 1e6))
                            for name, one in results["sets"].items()]))
    return "\n".join(lines)


def Compared(results):
    runs = Runs(results)
    rows = [Row(runs, place, name, tool) for place in runs.places for name in runs.sets
            for tool in TOOLS if runs.Of(place, name, tool)]
    if not rows:
        return ""
    return "### Tools compared\n\n" + Table(
        ("set", "tool", "files/s", "MB/s", "wall, s", "CPU, s", "peak MB", "wall to cp", "CPU to cp",
         "wall and flush to cp", "times faster than gdcmanon"), rows)


def Row(runs, place, name, tool):
    found = runs.Of(place, name, tool)
    seconds = statistics.median(map(Wall, found))
    faster = [1 / ratio for ratio in runs.Ratios(place, name, tool, OTHER, Wall)]
    return (f"{name}, {place}", tool, Number(found[0]["files"] / seconds),
            Number(found[0]["bytes"] / seconds / 1e6), Spread(list(map(Wall, found))),
            Number(statistics.median(map(Cpu, found))), Number(max(run["memory"] for run in found) / 1e6),
            OrNone(runs.Ratios(place, name, tool, COPY, Wall)), OrNone(runs.Ratios(place, name, tool, COPY, Cpu)),
            OrNone(runs.Ratios(place, name, tool, COPY, Flushed)) if place == "disk" else "–", OrNone(faster))


def Judged(results):
    rows = [*JudgedSets(Runs(results)), *JudgedRest(results)]
    if not rows:
        return ""
    small = ("" if results["about"]["scale"] >= 1 else
             "At a scale below 1 the start of the command counts for more than the goals mean.\n\n")
    return "### What was to be reached\n\n" + small + Table(
        ("what", "goal", "measured", "reached"),
        [(what, goal, Spread(values), "yes" if reached else "**no**") for what, goal, values, reached in rows])


def AtMost(what, limit, values):
    return what, f"at most {limit:g}", values, statistics.median(values) <= limit


def AtLeast(what, limit, values):
    return what, f"at least {limit:g}", values, statistics.median(values) >= limit


def Between(what, low, high, values):
    return what, f"{low:g} to {high:g}", values, low <= statistics.median(values) <= high


def JudgedSets(runs):
    for place in runs.places:
        for name in runs.sets:
            wall = runs.Ratios(place, name, JUDGED, COPY, Wall)
            cpu = runs.Ratios(place, name, JUDGED, COPY, Cpu)
            other = runs.Ratios(place, name, OTHER, JUDGED, Wall)
            if wall:
                yield AtMost(f"{name}, {place}: wall time to that of `cp -r`", WALL_LIMITS[name], wall)
            if cpu and name in CPU_LIMITS:
                yield AtMost(f"{name}, {place}: CPU time to that of `cp -r`", CPU_LIMITS[name], cpu)
            if other:
                yield AtLeast(f"{name}, {place}: times faster than `gdcmanon -e`", 2, other)


def JudgedRest(results):
    linear, rules, shards = (results.get(part) or {} for part in ("linear", "rules", "shards"))
    if linear:
        factor = linear["many"] / linear["few"]
        for what in ("wall", "cpu"):
            yield Between(f"{linear['many']:,} files to {linear['few']:,}: {Name(what)}", 0.9 * factor, 1.1 * factor,
                          linear[what])
    if rules:
        if "instructions 600" in rules:
            yield AtMost("600 rules to 60: instructions a file", 1.1,
                         [rules["instructions 600"] / rules["instructions 60"]])
        for what in ("wall", "cpu"):
            yield AtMost(f"600 rules to 60: {Name(what)}, with loading them", 1.1, rules[what])
    if results.get("memory"):
        yield AtMost("peak memory with 2 workers, MB, in any set", MEMORY_LIMIT / 1e6,
                     [max(line["peaks"]["2"] for line in results["memory"]) / 1e6])
    if shards:
        yield Between("two shards at once to one run, one thread each: wall time", 0.55, 0.65, shards["wall"])


def Name(what):
    return {"wall": "wall time", "cpu": "CPU time"}[what]


def Each(results):
    """What a file takes, counted."""
    counts = results.get("counts") or {}
    rows = []
    for name, count in counts.items():
        calls = count.get("calls")
        rows.append((name, f"{count['files']}", *(
            Number(count[what] / unit) if what in count else "–"
            for what, unit in (("instructions", 1e3), ("locks", 1), ("allocations", 1), ("startup", 1e6))),
            Number(sum(calls.values())) if calls else "–"))
    if not rows:
        return ""
    return "### What one file takes, with one worker\n\n" + Table(
        ("set", "files counted", "thousand instructions", "locks taken", "allocations",
         "million instructions once a run", "system calls"), rows)


def Phases(results):
    """Where a file's instructions go, by set."""
    counts = {name: count for name, count in (results.get("counts") or {}).items() if "instructions" in count}
    phases = list(dict.fromkeys(key for count in counts.values() for key in count if key.startswith("phase: ")))
    if not phases:
        return ""
    def Share(count, what):
        return f"{100 * what / count['instructions']:.0f} %"
    rows = [(key.removeprefix("phase: "), *(Share(count, count[key]) for count in counts.values())) for key in phases]
    rows.append(("the rest", *(Share(count, count["instructions"] - sum(count[key] for key in phases))
                               for count in counts.values())))
    return "Where a file's instructions go (the kernel's are not among them):\n\n" + Table(("part", *counts), rows)


def Calls(results):
    """The system calls of a file by name."""
    lines = []
    for name, count in (results.get("counts") or {}).items():
        often = sorted(((calls, call) for call, calls in count.get("calls", {}).items() if calls >= 0.2), reverse=True)
        if often:
            lines.append(f"* {name}: " + ", ".join(f"{call} {calls:.1f}" for calls, call in often))
    return "System calls a file, by name:\n\n" + "\n".join(lines) + "\n" if lines else ""


def Peaks(results):
    lines = results.get("memory") or []
    if not lines:
        return ""
    workers = list(lines[0]["peaks"])
    rows = [(line["set"], f"{line['files']:,}", Number(line["largest"] / 1e6),
             *(Number(line["peaks"][jobs] / 1e6) for jobs in workers),
             f"{(line['peaks'][workers[-1]] - line['peaks'][workers[0]]) / 1e6 / (int(workers[-1]) - int(workers[0])):.1f}")
            for line in lines]
    return "### Peak memory, MB\n\n" + Table(
        ("set", "files", "largest file", *(f"-j {jobs}" for jobs in workers), "each worker more"), rows)


def Remarks(results):
    lines = [f"* {note['tool']}, set {note['set']}: {note['text']}." for note in results["notes"]]
    lines += NotWritten(results)
    if results.get("shards"):
        lines.append(f"* The larger of the two shards had {100 * results['shards']['larger share']:.0f} % of the files.")
    lines += [f"* Not measured: {skipped['what']} ({skipped['reason']})." for skipped in results["skipped"]]
    return "### Remarks\n\n" + "\n".join(lines) + "\n" if lines else ""


def NotWritten(results):
    """What dcmveil did not write, and how much less it wrote than it read, by set."""
    seen = {run["set"]: run for run in results["runs"] if run["tool"] == JUDGED}
    for name, run in seen.items():
        yield (f"* dcmveil, set {name}: {run['written']:,} of {run['files']:,} files written; its output has "
               f"{100 * run['bytes_out'] / run['bytes']:.0f} % of the input's bytes.")


# ---------------------------------------------------------------------------------- the plot

WIDTH, LEFT, RIGHT, ROW, PANEL_HEAD = 760, 150, 40, 17, 34


def Plot(results):
    """Wall time to that of the copy, on a logarithmic axis: a dot for the median, a line from the least
    to the most."""
    runs = Runs(results)
    points = {(place, name, tool): runs.Ratios(place, name, tool, COPY, Wall)
              for place, name, tool in runs.all if tool != COPY}
    values = [value for ratios in points.values() for value in ratios] or [1.0]
    axis = Axis(min(0.5, *values), max(2.0, *values))
    body, top = [], 10
    for place in runs.places:
        panel, top = Panel(axis, runs, points, place, top)
        body += panel
    height = top + 26
    legend = Legend([tool for tool in TOOLS if any(key[2] == tool for key in points)], height - 12)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'font-family="sans-serif" font-size="12">\n<title>Wall time, relative to cp -r</title>\n'
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n' + "\n".join(body + legend) + "\n</svg>\n")


class Axis:
    def __init__(self, low, high):
        self.low, self.high = 2.0 ** math.floor(math.log2(low)), 2.0 ** math.ceil(math.log2(high))

    def X(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def Ticks(self):
        first, last = round(math.log2(self.low)), round(math.log2(self.high))
        return [2.0 ** power for power in range(first, last + 1)]


def Panel(axis, runs, points, place, top):
    """The lines of SVG of one place, and where it ends."""
    body = [Text(10, top + 14, f"Wall time relative to cp -r, {place}", "font-weight='bold'")]
    begin = y = top + PANEL_HEAD
    for name in runs.sets:
        drawn = [tool for tool in TOOLS if points.get((place, name, tool))]
        body.append(Text(10, y + 12, f"set {name}"))
        for tool in drawn:
            body += Dot(axis, points[place, name, tool], COLOURS[tool], y + 8, tool)
            y += ROW
        y += 8
    grid = [Line(axis.X(tick), begin - 4, axis.X(tick), y, "#111827" if tick == 1 else "#d1d5db") for tick in axis.Ticks()]
    labels = [Text(axis.X(tick), y + 14, f"{tick:g}×", "text-anchor='middle' fill='#374151'") for tick in axis.Ticks()]
    return grid + body + labels, y + 30


def Dot(axis, values, colour, y, tool):
    middle = statistics.median(values)
    x = axis.X(middle)
    return [Text(60, y + 4, tool, f"fill='{colour}'"),
            Line(axis.X(min(values)), y, axis.X(max(values)), y, colour, 3),
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"><title>{tool}: {Spread(values)}</title></circle>',
            Text(axis.X(max(values)) + 8, y + 4, Number(middle), f"fill='{colour}' font-size='11'")]


def Legend(used, y):
    return [Text(10, y, "dot: median of the rounds; bar: least to most; left of 1× is faster than the copy. "
                 + ("" if used else "Nothing was measured."), "fill='#374151' font-size='11'")]


def Line(x1, y1, x2, y2, colour, width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width}"/>')


def Text(x, y, text, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{text}</text>'


# ---------------------------------------------------------------------------------- docs

BEGIN, END = "<!-- scripts/bench --write-docs: begin -->", "<!-- scripts/bench --write-docs: end -->"


def Replaced(text, new):
    """The text with what stands between the markers replaced."""
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    if len(re.findall(pattern, text, re.S)) != 1:
        raise ValueError("the page must have the two markers once")
    return re.sub(pattern, lambda _: f"{BEGIN}\n{new}\n{END}", text, flags=re.S)


def WriteDocs(docs, results):
    page = docs / "performance.md"
    plot = "![Wall time relative to cp -r, by set and tool](performance.svg)\n\n"
    page.write_text(Replaced(page.read_text(), plot + Tables(results)))
    (docs / "performance.svg").write_text(Plot(results))
