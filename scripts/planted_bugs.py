# Plants the bugs of Tests/PlantedBugs into a copy of the sources, and lets the simulator look for them.
#
# A bug is a name, a line that says what is wrong, who has to lie so that it matters, and edits: text that has to stand
# in the sources exactly once, and what stands there in the copy. White space does not count, and where the named file
# does not have the text any more, another one may: so neither wrapping lines nor moving code takes a bug its place.
# PLANTED is true when this bug is switched on.
#
#   check                   exit status 1 and a list, if a bug has lost its place
#   plant TREE              writes the copy; the same exit status
#   hunt PROGRAM [NAME…]    looks for each bug; BUDGET: seconds of processor time for each
#
# How a bug is looked for stands with it: "liars", "protocol", "with", "transactions", "seed" (the first one), or
# "crashes". It counts as found only if the same seeds break nothing without it.

import concurrent.futures, json, os, re, resource, shutil, signal, subprocess, sys, threading, time

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
            elif line.startswith("protocol "):
                bug["protocol"] = line[9:].strip()
            elif line.startswith(("seed ", "transactions ")):
                key, value = line.split()
                bug[key] = value
            elif line.startswith("with "):
                bug["with"] = line[5:].split()
            elif line == "crashes\n":
                bug["crashes"] = True
            elif line.startswith("file "):
                bug["file"] = line[5:].strip()
            elif line == "<<<\n":
                mode, text = "old", []
    return bugs


# MARK: Planting

PLANTED = """
import Glibc

/// Which bug is switched on: a number, or none.
private let chosen: Int = getenv("ACD_PLANTED").flatMap { Int(String(cString: $0)) } ?? -1

/// True when this bug is switched on.
public func planted(_ number: Int) -> Bool { chosen == number }
"""


def packed(text):
    """The text without white space, and where each character of that stands."""
    places = [i for i, c in enumerate(text) if not c.isspace()]
    return "".join(text[i] for i in places), places


class Sources:
    def __init__(self):
        files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True)
        wanted = [f for f in files.stdout.split("\n") if re.match(r"(Sources|CCore|include|Tests)/|Package\.", f)]
        self.texts = {f: open(f, encoding="utf-8", errors="surrogateescape").read() for f in wanted if os.path.isfile(f)}
        self.packed = {}

    def count(self, file, old):
        if file not in self.packed:
            self.packed[file] = packed(self.texts.get(file, ""))
        return self.packed[file][0].count(old)

    def place(self, file, old):
        """The file in which this stands once; None if there is none, or more than one."""
        old = packed(old)[0]
        counts = self.count(file, old)
        if counts:
            return file if counts == 1 else None
        swift = [f for f in self.texts if f.startswith("Sources/") and f.endswith(".swift")]
        found = [f for f in swift if self.count(f, old)]
        return found[0] if len(found) == 1 and self.count(found[0], old) == 1 else None

    def replace(self, file, old, new):
        old = packed(old)[0]
        text, places = self.packed[file]
        start = text.index(old)
        whole = self.texts[file]
        whole = whole[: places[start]] + new.strip() + whole[places[start + len(old) - 1] + 1 :]
        if "import Messages" not in whole and "Sources/Messages/" not in file:
            whole = whole.replace("\n\n", "\n\nimport Messages\n", 1)
        self.texts[file] = whole
        del self.packed[file]


def planting():
    """The sources with all bugs in them, and a line for each bug that has lost its place."""
    sources, lost = Sources(), []
    for number, bug in enumerate(catalogue()):
        edits, done = bug["edits"], []
        for file, old, new in edits:
            place = sources.place(file, old)
            if place is None:
                lost.append(f"{bug['name']} has lost its place. This stands not once in {file}, nor once elsewhere:\n{old}")
                break
            sources.replace(place, old, new.replace("PLANTED", f"planted({number})"))
    sources.texts["Sources/Messages/Planted.swift"] = PLANTED
    return sources.texts, lost


def check():
    names = [bug["name"] for bug in catalogue()]
    twice = sorted({name for name in names if names.count(name) > 1})
    lost = planting()[1] + [f"two bugs are called {name}" for name in twice]
    for line in lost:
        print(line)
    if lost:
        print(f"{len(lost)} planted bugs cannot be planted: give them their place again in {CATALOGUE}, so that the")
        print("simulator goes on being tested (docs/SIMULATION.md, \"Planted bugs\")")
        sys.exit(1)


def write(path, text):
    """Leaves what did not change alone, so that the build is quick."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path) and open(path, encoding="utf-8", errors="surrogateescape").read() == text:
        return
    open(path, "w", encoding="utf-8", errors="surrogateescape").write(text)


def plant(tree):
    check()
    texts, _ = planting()
    if os.path.exists("Package.resolved"):
        texts["Package.resolved"] = open("Package.resolved", encoding="utf-8").read()
    for file, text in texts.items():
        write(f"{tree}/{file}", text)
    for folder, _, names in os.walk(tree):
        if "/.build" in folder.removeprefix(tree):
            continue
        for name in names:
            path = os.path.relpath(f"{folder}/{name}", tree)
            if path not in texts and not path.startswith("."):
                os.remove(f"{tree}/{path}")
    print(f"{len(catalogue())} bugs planted in {tree}")


# MARK: Hunting


def campaigns(bug, budget):
    """What to run, from which seed on, and for how long. The plainest protocol comes first where a bug is in all."""
    if "crashes" in bug:
        crashes = ["--crash-everywhere", "once", "--until-broken", "--protocol", bug.get("protocol", "core"), "--with", *bug.get("with", ["none"])]
        return [(crashes, None, budget)]
    fixed = ["--transactions", bug.get("transactions", "18"), "--byzantine", bug["liars"], "--with", *bug.get("with", ["none"])]
    first = int(bug.get("seed", 1))
    if "protocol" in bug:
        return [(fixed + ["--protocol", bug["protocol"]], first, budget)]
    return [(fixed + ["--protocol", p], first, budget // 2) for p in ("core", "all")]


class Control:
    """The same campaigns without any bug: where one of them finds something, it found no planted bug."""

    def __init__(self, program):
        self.program, self.lock, self.locks = program, threading.Lock(), {}
        self.clean, self.broken, self.used = set(), {}, 0.0

    def violation(self, arguments, first, last):
        """What breaks without a bug from seed `first` to `last`; None if nothing does."""
        key = tuple(arguments)
        with self.lock:
            mine = self.locks.setdefault(key, threading.Lock())
        with mine:
            for seed in range(first or 0, (last if first else 0) + 1):
                if (key, seed) in self.clean:
                    continue
                if (key, seed) not in self.broken:
                    seeds = ["--seeds", f"{seed}..{last}"] if first else []
                    found, used, through = attempt([self.program, "simulate", *arguments, *seeds], -1, 600)
                    self.used += used
                    for done in range(seed, (through if first else 0) + 1):
                        self.clean.add((key, done))
                    if found:
                        self.clean.discard((key, found[0] if first else 0))
                        self.broken[key, found[0] if first else 0] = found
                if (key, seed) in self.broken:
                    return self.broken[key, seed]
        return None


def runs(program, bug, number, budget, control):
    """Tries one thing after the other until something breaks or the budget is used up."""
    used, doubt = 0.0, None
    for arguments, first, seconds in campaigns(bug, budget):
        seeds = ["--seeds", f"{first}..{first + 99_999}"] if first else []
        found, time_used, _ = attempt([program, "simulate", *arguments, *seeds], number, seconds)
        used += time_used
        if found:
            doubt = control.violation(arguments, first, found[0])
            if not doubt:
                return found, used, None
    return None, used, doubt


def attempt(command, number, budget):
    """Runs seed after seed. What the worker prints is one line of JSON for each. What was found, the time, the last seed."""
    environment = {**os.environ, "ACD_PLANTED": str(number)}
    command = [*command, "--worker", "0/1"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    # Processor time, so that a busy machine finds no less. One that waits for ever is ended too.
    resource.prlimit(process.pid, resource.RLIMIT_CPU, (budget, budget + 5))
    alarm = threading.Timer(60 * budget, process.kill)
    alarm.start()
    found, seed = None, 0
    try:
        for line in process.stdout:
            try:
                result = json.loads(line)
            except ValueError:  # it was ended in the middle of a line
                break
            seed = result.get("begins", seed)
            if result.get("violations"):
                violation = result["violations"][0]
                found = (seed, violation["invariant"], violation["text"])
            if result.get("failures"):
                found = (seed, 8, result["failures"][0])
            if found:
                break
    finally:
        alarm.cancel()
        process.stdout.close()
        if found:
            process.kill()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        shutil.rmtree(f"/dev/shm/acd-simulation-{process.pid}", ignore_errors=True)
    died = -process.returncode not in (0, signal.SIGXCPU, signal.SIGKILL) and process.returncode < 0
    if not found and died:
        found = (seed, 8, "the process died in the middle of the run")
    return found, usage.ru_utime + usage.ru_stime, seed


def hunt(program, names):
    budget = int(os.environ.get("BUDGET", "30"))
    bugs = list(enumerate(catalogue()))
    if names:
        bugs = [(n, b) for n, b in bugs if b["name"] in names]
    begun, unfound, used, control = time.time(), [], 0.0, Control(program)
    print(f"{'bug':40} {'liars':6} {'seed':>5} {'time':>7}  found by")
    workers = int(os.environ.get("WORKERS", os.cpu_count() or 1))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        hunts = {pool.submit(runs, program, bug, number, budget, control): bug for number, bug in bugs}
        for future in concurrent.futures.as_completed(hunts):
            bug = hunts[future]
            found, seconds, doubt = future.result()
            used += seconds
            start = f"{bug['name']:40} {bug['liars']:6}"
            if found:
                print(f"{start} {found[0]:5} {seconds:6.1f}s  {found[1]}: {found[2][:90]}", flush=True)
                continue
            unfound.append(bug["name"])
            if doubt:
                print(f"{start} {doubt[0]:5} {seconds:6.1f}s  NOT COUNTED, breaks without the bug: {doubt[2][:90]}", flush=True)
            else:
                print(f"{start} {'-':>5} {seconds:6.1f}s  NOT FOUND: {bug['what']}", flush=True)
    count, took = len(bugs), time.time() - begun
    print(f"{count - len(unfound)} of {count} found in {took:.0f} s by {workers} at a time; processor time {used:.0f} s,")
    print(f"and {control.used:.0f} s for the same seeds without the bugs; load average {os.getloadavg()[0]:.1f}")
    if unfound:
        print("not found: " + " ".join(unfound))
    sys.exit(0 if len(unfound) * 20 <= count else 1)


if sys.argv[1] == "check":
    check()
elif sys.argv[1] == "plant":
    plant(sys.argv[2])
else:
    hunt(sys.argv[2], sys.argv[3:])
