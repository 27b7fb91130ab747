#!/usr/bin/env bash
# Puts the screens that Tests/Scenarios/counter.sh captured into docs/KIOSK.md, behind their marks.
set -euo pipefail
cd "$(dirname "$0")/.."
Tests/Scenarios/counter.sh
python3 - <<'PY'
import re
path = "docs/KIOSK.md"
text = open(path, encoding="utf-8").read()
def screen(match):
    name = match[1]
    lines = open(f"build/scenarios/counter/screens/{name}.txt", encoding="utf-8").read().rstrip("\n").split("\n")
    body = "\n".join(line.rstrip() for line in lines)
    return f"<!-- screen: {name} -->\n```\n{body}\n```\n"
text = re.sub(r"<!-- screen: ([a-z-]+) -->\n(?:```\n.*?\n```\n)?", screen, text, flags=re.S)
open(path, "w", encoding="utf-8").write(text)
PY
