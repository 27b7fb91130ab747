# Plants the bugs of Tests/PlantedBugs into a copy of the sources, and lets the simulator look for them.
#
# A bug is a name, a line that says what is wrong, who has to lie so that it matters, and edits: text that has to stand
# in a file exactly once, and what stands there in the copy. PLANTED is true when this bug is switched on.

import json, os, re, shutil, subprocess, sys, time

CATALOGUE = "Tests/PlantedBugs"


def catalogue():
    bugs, bug, mode, text = [], None, None, []
    for name in sorted(os.listdir(CATALOGUE)):
        for line in open(f"{CATALOGUE}/{name}", encoding="utf-8"):
            if mode == "old" and line == "===\n":
                bug["edits"].append([bug["file"], "".join(text), None])
                mode, text = "new", []
            elif mode == "new" and line == ">>>\n":
                bug["edits"][-1][2] = "".join(text)
                mode, text = None, []
            elif mode:
                text.append(line)
            elif line.startswith("== "):
                bug = {"name": line[3:].strip(), "liars": "none", "what": "", "edits": []}
                bugs.append(bug)
            elif line.startswith("# "):
                bug["what"] = line[2:].strip()
            elif line.startswith("liars "):
                bug["liars"] = line[6:].strip()
            elif line == "crashes\n":
                bug["crashes"] = True
            elif line.startswith("file "):
                bug["file"] = line[5:].strip()
            elif line == "<<<\n":
                mode, text = "old", []
    return bugs


PLANTED = """
import Glibc

/// Which bug is switched on: a number, or none.
private let chosen: Int = getenv("ACD_PLANTED").flatMap { Int(String(cString: $0)) } ?? -1

/// True when this bug is switched on.
public func planted(_ number: Int) -> Bool { chosen == number }
"""


def write(path, text):
    """Leaves what did not change alone, so that the build is quick."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path) and open(path, encoding="utf-8", errors="surrogateescape").read() == text:
        return
    open(path, "w", encoding="utf-8", errors="surrogateescape").write(text)


def plant(tree):
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True)
    wanted = [f for f in files.stdout.split("\n") if re.match(r"(Sources|CCore|include|Tests)/|Package\.", f)]
    texts = {f: open(f, encoding="utf-8", errors="surrogateescape").read() for f in wanted if os.path.isfile(f)}
    for number, bug in enumerate(catalogue()):
        # One line's end does not count: an edit may stop in the middle of a line.
        edits = [(file, old.rstrip("\n"), new.rstrip("\n")) for file, old, new in bug["edits"]]
        lost = [(file, old) for file, old, _ in edits if texts.get(file, "").count(old) != 1]
        if lost:
            print(f"{bug['name']} HAS LOST ITS PLACE: this stands not once in {lost[0][0]}:\n{lost[0][1]}")
            continue
        for file, old, new in edits:
            texts[file] = texts[file].replace(old, new.replace("PLANTED", f"planted({number})"))
            if "import Messages" not in texts[file] and "Sources/Messages/" not in file:
                texts[file] = texts[file].replace("\n\n", "\n\nimport Messages\n", 1)
    texts["Sources/Messages/Planted.swift"] = PLANTED
    for file, text in texts.items():
        write(f"{tree}/{file}", text)
    for folder, _, names in os.walk(tree):
        if "/.build" in folder:
            continue
        for name in names:
            path = os.path.relpath(f"{folder}/{name}", tree)
            if path not in texts and not path.startswith("."):
                os.remove(f"{tree}/{path}")
    print(f"{len(catalogue())} bugs planted in {tree}")


def hunt(program, names):
    budget = int(os.environ.get("BUDGET", "40"))
    bugs = list(enumerate(catalogue()))
    if names:
        bugs = [(n, b) for n, b in bugs if b["name"] in names]
    begun, unfound = time.time(), []
    print(f"{'bug':40} {'liars':6} {'seed':>5} {'time':>7}  found by")
    for number, bug in bugs:
        started, found = time.time(), None
        environment = {**os.environ, "ACD_PLANTED": str(number)}
        command = [program, "simulate", "--until-broken", "--json", "--transactions", "18", "--byzantine", bug["liars"]]
        command += ["--seeds", "1..100000"]
        if "crashes" in bug:
            command = [program, "simulate", "--crash-everywhere", "once"]
        try:
            run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=budget)
            if "crashes" in bug:
                if run.returncode == 8:
                    lines = [line.strip() for line in run.stdout.split("\n") if "stopped at" in line]
                    found = (1, {"invariant": 8, "text": (lines or ["?"])[0]})
                raise StopIteration
            broken = json.loads(run.stdout)["broken"] if run.returncode == 8 else []
            if broken:
                found = (broken[0]["seed"], broken[0]["violations"][0])
        except (subprocess.TimeoutExpired, StopIteration):
            pass
        seconds = time.time() - started
        if found:
            seed, violation = found
            print(f"{bug['name']:40} {bug['liars']:6} {seed:5} {seconds:6.1f}s  {violation['invariant']}: {violation['text'][:90]}", flush=True)
        else:
            unfound.append(bug["name"])
            print(f"{bug['name']:40} {bug['liars']:6} {'-':>5} {seconds:6.1f}s  NOT FOUND: {bug['what']}", flush=True)
    count = len(bugs)
    print(f"{count - len(unfound)} of {count} found in {time.time() - begun:.0f} s")
    sys.exit(0 if len(unfound) * 20 <= count else 1)


if sys.argv[1] == "plant":
    plant(sys.argv[2])
else:
    hunt(sys.argv[2], sys.argv[3:])
