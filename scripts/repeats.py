#!/usr/bin/env python3
"""Finds runs of lines that occur twice in the parties' code: no protocol may be a copy of another's.

Usage: repeats.py [FOLDER...] (default Sources/Parties). Lists what docs/REPEATS.md does not explain, and explanations of
what is there no more; then ends with 1.

What is compared is code: without comments, blank lines, lines of braces alone and those that only name a case again (`case
.paid: .paid`), spaces aside. Two runs repeat each other if
SAME lines in a row are equal, or SHAPE lines in a row are equal but for names of types, numbers and texts (a copy of a
protocol has other types' names in it). A run that overlaps itself does not count.
"""
import pathlib
import re
import sys

SAME, SHAPE = 5, 7
EXPLAINED = "docs/REPEATS.md"
NAMED_AGAIN = re.compile(r"case \.(\w+)(?:\(.*\))?: \.\1$")
WORD = re.compile(r"[A-Za-z0-9_]")
TYPE_OR_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|\b[A-Z]\w*\b|\.[a-z]{1,2}\d\w*\b|\b\d[\d_]*\b')


def lines_of(path):
    """[(line number, code)], code with its spaces evened."""
    found, in_comment = [], False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if in_comment:
            _, end, line = line.partition("*/")
            in_comment = not end
        line = re.sub(r"^\s*//.*|\s//\s.*|/\*.*?\*/", "", line)
        if "/*" in line:
            line, in_comment = line.partition("/*")[0], True
        code = " ".join(line.split())
        if WORD.search(code) and not NAMED_AGAIN.match(code):
            found.append((number, code))
    return found


def runs(files, least):
    """Maximal pairs of equal runs of `least` lines or more: (file, place, file, place, length), places in `files`' lists."""
    places = {}
    for name, lines in files.items():
        for at in range(len(lines) - least + 1):
            places.setdefault(tuple(lines[at:at + least]), []).append((name, at))
    for same in places.values():
        for index, (first, a) in enumerate(same):
            for second, b in same[index + 1:]:
                left, right = files[first], files[second]
                if a and b and left[a - 1] == right[b - 1]:
                    continue  # it begins earlier
                length = least
                while a + length < len(left) and b + length < len(right) and left[a + length] == right[b + length]:
                    length += 1
                if first == second:
                    length = min(length, b - a)
                if length >= least:
                    yield first, a, second, b, length


def explained():
    """{(file, file)} of the table's first two columns, in order, and how many lines of theirs may repeat."""
    table = {}
    for line in pathlib.Path(EXPLAINED).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if len(cells) == 4 and cells[2].isdigit() and cells[3]:
            table[tuple(sorted(cells[:2]))] = int(cells[2])
    return table


def main():
    folders = sys.argv[1:] or ["Sources/Parties"]
    paths = sorted(path for folder in folders for path in pathlib.Path(folder).rglob("*.swift"))
    code = {str(path): lines_of(path) for path in paths}
    same = {name: [text for _, text in lines] for name, lines in code.items()}
    shape = {name: [TYPE_OR_LITERAL.sub("_", text) for text in lines] for name, lines in same.items()}
    found = {run[:4]: run for run in runs(same, SAME)}
    for run in runs(shape, SHAPE):
        # A run of a shape that lies around an equal one takes its place.
        inside = [key for key in found if key[0] == run[0] and key[2] == run[2]
                  and run[1] <= key[1] and key[1] + found[key][4] <= run[1] + run[4] and key[1] - run[1] == key[3] - run[3]]
        for key in inside:
            del found[key]
        found[run[:4]] = run
    repeated = {}
    for first, a, second, b, length in found.values():
        repeated.setdefault(tuple(sorted((first, second))), []).append((first, a, second, b, length))
    allowed, bad = explained(), 0
    for pair, pairs in sorted(repeated.items()):
        lines = sum(run[4] for run in pairs)
        if lines <= allowed.get(pair, 0):
            continue
        bad = 1
        for first, a, second, b, length in sorted(pairs):
            print(f"repeats: {first}:{code[first][a][0]} and {second}:{code[second][b][0]}, {length} lines: {same[first][a]}")
        if pair in allowed:
            print(f"repeats: {lines} lines of these, and {EXPLAINED} explains {allowed[pair]}")
    for pair in allowed:
        if sum(run[4] for run in repeated.get(pair, [])) < allowed[pair]:
            bad = 1
            print(f"repeats: {EXPLAINED} explains more than there is of {pair[0]} and {pair[1]}")
    sys.exit(bad)


main()
