#!/usr/bin/env python3
"""Damages a receipt and shows it to the kiosk: one bit in every byte, and every eighth length. All must be refused with
a named check.

Usage: damage.py KIOSK RECEIPT TRUST. The unit tests flip every bit; this goes through the command itself.
"""
import json
import pathlib
import subprocess
import sys


def verdict(kiosk, data, trust):
    run = subprocess.run([kiosk, "verify", "-", "--trust", trust, "--json"], input=data, capture_output=True)
    return run.returncode, json.loads(run.stdout)


def main():
    kiosk, receipt, trust = sys.argv[1:]
    data = pathlib.Path(receipt).read_bytes()
    status, report = verdict(kiosk, data, trust)
    assert (status, report["verdict"]) == (0, "valid"), report
    damaged = [data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1:] for i in range(len(data))]
    damaged += [data[:length] for length in range(0, len(data), 8)]
    for number, bad in enumerate(damaged):
        status, report = verdict(kiosk, bad, trust)
        assert status == 1 and report["verdict"] == "invalid" and report["check"], (number, status, report)
    print(f"damage: {len(damaged)} damaged receipts refused, each with a named check")


main()
