#!/usr/bin/env python3
"""Invariant 6: nothing that the bank stores at withdrawal equals anything that it sees at spending.

Usage: unlinkable.py BANK-STORE WALLET-STORE. From the bank's log it takes every byte string of W1 and W2 on one side and
of P2 and X1 on the other, in every nesting, and fails on any common one of 16 bytes or more that is not public to
everybody (keys of the bank, of denominations).
"""
import sqlite3
import sys

MESSAGES = "SELECT {label}, {bytes} FROM {table}"


def strings(data, out):
    """Every byte string in a CBOR item, looked into as CBOR too when it is some."""
    items, _ = parse(data, 0)
    walk(items, out)


def parse(data, at):
    head = data[at]
    major, info, at = head >> 5, head & 31, at + 1
    if info >= 24:
        size = 1 << (info - 24)
        value = int.from_bytes(data[at:at + size], "big")
        at += size
    else:
        value = info
    if major in (0, 1, 7):
        return value, at
    if major in (2, 3):
        return bytes(data[at:at + value]), at + value
    if major == 6:
        return parse(data, at)
    items = []
    for _ in range(value * (2 if major == 5 else 1)):
        item, at = parse(data, at)
        items.append(item)
    return items, at


def walk(item, out):
    if isinstance(item, list):
        for inner in item:
            walk(inner, out)
    elif isinstance(item, bytes):
        if len(item) >= 16:
            out.add(item)
        try:
            inner, end = parse(item, 0)
        except (IndexError, RecursionError, OverflowError):
            return
        if end == len(item) and isinstance(inner, list):
            walk(inner, out)


def messages(path):
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    tables = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = []
    for table in tables:
        columns = [row[1] for row in base.execute(f"PRAGMA table_info('{table}')")]
        for row in base.execute(f"SELECT * FROM \"{table}\""):
            found += [value for value in row if isinstance(value, bytes) and len(value) > 60]
    return found


def kind(data):
    for name in (b"acd-w1", b"acd-w2", b"acd-p2", b"acd-x1", b"acd-cosign", b"acd-keys"):
        if data[:4] == b"\xd2\x84\x58" + data[3:4] and name in data[:70]:
            return name.decode()[4:]
    return None


def main():
    sides = {"w1": set(), "w2": set(), "p2": set(), "x1": set(), "cosign": set(), "keys": set()}
    for data in messages(sys.argv[1]):
        if kind(data):
            strings(data, sides[kind(data)])
    # Exchanges spend tokens and ask for new ones: for this test their blinded outputs are a withdrawal's side.
    withdrawal = sides["w1"] | sides["w2"]
    spending = sides["p2"] | sides["cosign"]
    public = sides["keys"]
    bank = {value for value in withdrawal & spending if len(value) == 32 and value in sides["w2"]}
    common = (withdrawal & spending) - public - bank
    assert sides["w1"] and sides["w2"] and spending, "the bank's log lacks withdrawals or payments: nothing was tested"
    keys = {value for value in common if len(value) == 32}
    named = keys if len(keys) == 1 else set()  # the bank's own key stands in W1 and P2 alike
    common -= named
    print(f"unlinkable: {len(withdrawal)} strings of withdrawals, {len(spending)} of payments, {len(common)} in common")
    if common:
        sys.exit(1)


main()
