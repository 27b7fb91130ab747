#!/usr/bin/env python3
"""Breaks each check of the card once, and sees a test fail. Usage: card_mutants.py [NAME...]

CCore/tests/card_mutants.txt lists the mutants: `== name`, `# what is broken`, `file PATH`, and the lines to replace
between `<<<`, `===` and `>>>`. They are planted one at a time into a copy of the sources. Ends with status 1 if a mutant
lives, or if its lines are not there exactly once."""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TREE = ROOT / "build/card-mutants/tree"
BUILD = ROOT / "build/card-mutants/build"
TESTS = ["card", "card_pin", "card_sign", "card_receipt", "card_secrets", "card_power"]


def mutants():
    text = (ROOT / "CCore/tests/card_mutants.txt").read_text(encoding="utf-8")
    pattern = r"^== (\S+)\n# ([^\n]*)\nfile (\S+)\n<<<\n(.*?)^===\n(.*?)^>>>$"
    return re.findall(pattern, text, re.M | re.S)


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def build():
    return run("cmake", "--build", str(BUILD), "--target", *[f"acd_test_{name}" for name in TESTS])


def killer():
    """The test that fails, or None. A mutant that runs for ever is found, too."""
    for name in TESTS:
        try:
            done = subprocess.run([BUILD / "tests" / f"acd_test_{name}"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            return name
        if done.returncode not in (0, 77):
            return name
    return None


def main():
    chosen = sys.argv[1:]
    shutil.rmtree(TREE, ignore_errors=True)
    for folder in ("CCore", "include", "docs", "Tests/Vectors"):
        shutil.copytree(ROOT / folder, TREE / folder, copy_function=shutil.copy)  # newer than what was built
    run("cmake", "-S", str(TREE / "CCore"), "-B", str(BUILD))
    built = build()
    if built.returncode != 0 or killer() is not None:
        sys.exit("card_mutants: the tests fail without a mutant\n" + built.stdout[-2000:])
    living = tried = 0
    for name, what, path, old, new in mutants():
        if chosen and name not in chosen:
            continue
        tried += 1
        source = TREE / path
        whole = source.read_text(encoding="utf-8")
        if whole.count(old) != 1:
            print(f"{name}: its lines stand {whole.count(old)} times in {path}", flush=True)
            living += 1
            continue
        source.write_text(whole.replace(old, new), encoding="utf-8")
        built = build()
        by = "the compiler" if built.returncode != 0 else killer()
        source.write_text(whole, encoding="utf-8")
        living += by is None or by == "the compiler"
        print(f"{name}: {what}: {'LIVES' if by is None else 'found by ' + by}", flush=True)
    print(f"{tried} mutants, {tried - living} found")
    sys.exit(living != 0)


main()
