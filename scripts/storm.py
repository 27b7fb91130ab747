#!/usr/bin/env python3
"""A crowd in another language, against running services: the same token a thousand times, each message a thousand times.

Usage: storm.py WORLD race TIMES | replay TIMES

WORLD is a directory of Tests/Scenarios/lib.sh. Keys come from the wallet's root as docs/SPEC.md section 4 says.

  race    TIMES different authorizations of one token, each on a connection of its own that is open before the first is
          sent. Exactly one has to lock; every other is refused, with the winner as proof.
  replay  every message that a party's store holds, sent TIMES times to each of its receivers: byte-identical answers.

Prints what it saw; status 1 with the first thing that is wrong.
"""
import base64
import ctypes
import ctypes.util
import hashlib
import http.client
import json
import os
import pathlib
import sqlite3
import sys
import threading
import time
import urllib.parse

import cbor2

from interop_client import ARCHIVE, BANK, MERCHANT, N, M, B, REASON, PROOF, Client, parse

A, P, VALUE, EXPIRATION, LIFETIME, H_P1, HX, FORMAT = 2, 4, 6, 7, 8, 9, 10, 23
LOCKED = 6
PARTIES = {"bank": BANK, "archive": ARCHIVE, "merchant": MERCHANT}
# Who takes a message of this type, again and again. What is not here is nobody's request: answers, and what travels in a
# bundle only.
RECEIVERS = {
    "acd-w1": [BANK], "acd-x1": [BANK], "acd-p2": [BANK], "acd-ja2": [BANK],
    "acd-n1": [MERCHANT], "acd-sp1": [MERCHANT], "acd-nak": [MERCHANT], "acd-credit": [MERCHANT],
    "acd-p3": [MERCHANT, ARCHIVE], "acd-ja3": [MERCHANT, BANK],
    "acd-p5a": [MERCHANT, BANK], "acd-p5b": [MERCHANT, BANK], "acd-ja5a": [MERCHANT, BANK],
}
# A submission's type: its lock's type, and who decides.
SUBMISSIONS = {"acd-p4": ("acd-p3", ARCHIVE), "acd-ja4": ("acd-ja3", BANK)}


def fail(text):
    sys.exit(f"storm.py: {text}")


def encoded(value):
    return cbor2.dumps(value, canonical=True)


class Line:
    """One connection to one party."""

    def __init__(self, client, role):
        self.address = urllib.parse.urlparse(client.peers[role][1])
        self.tls = client.tls
        self.open()

    def open(self):
        self.http = http.client.HTTPSConnection(
            self.address.hostname, self.address.port, context=self.tls, timeout=120)
        self.http.connect()

    def post(self, body):
        self.http.request("POST", "/v1/messages", body, {"Content-Type": "application/cose"})
        reply = self.http.getresponse()
        return reply.status, reply.read()


def crowd(count, work):
    """Runs work(i) for i < count, each in a thread of its own, all from the same moment on."""
    gate, results, errors = threading.Barrier(count), [None] * count, []

    def run(index):
        try:
            results[index] = work(index, gate)
        except Exception as error:  # told below
            errors.append(f"{type(error).__name__}: {error}")
            gate.abort()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        fail(f"{len(errors)} of {count} failed: {min(errors, key=lambda e: 'Barrier' in e)}")
    return results


def peeled(message):
    """(type, payload) under the CoSigns of further tokens."""
    kind, _, payload = parse(message)
    while kind == "acd-cosign":
        kind, _, payload = parse(payload[-1])
    return kind, payload


def stored(client, party):
    """All signed messages of a party's store, each once."""
    base = sqlite3.connect(f"file:{client.world}/{party}/store.sqlite?mode=ro", uri=True)
    rows = [row[0] for row in base.execute("SELECT bytes FROM messages ORDER BY sequence")]
    rows += [row[0] for row in base.execute("SELECT body FROM records ORDER BY sequence")]
    return [message for message in dict.fromkeys(rows) if message[:1] == b"\xd2"]


# The race.

def authorizations(client, count):
    """P2s of one unspent token for different transactions, signed by its q."""
    base = sqlite3.connect(f"file:{client.world}/wallet/store.sqlite?mode=ro", uri=True)
    coins = [json.loads(data) for (data,) in base.execute(
        "SELECT data FROM machines WHERE kind = 'coin' AND phase = 0")]
    coin = next((coin for coin in coins if coin["rest"] == coin["value"] and coin["held"] == 0), None)
    if coin is None:
        fail("the wallet has no untouched token")
    token = cbor2.loads(base64.b64decode(coin["token"]))
    key = client.key("token", coin["keyIndex"])
    messages = map(peeled, stored(client, "wallet"))
    pattern = next((payload for kind, payload in messages if kind == "acd-p2"), None)
    if pattern is None:
        fail("the wallet has not paid by the core protocol yet")
    amount = [coin["currency"], coin["value"]]
    expiration = int(time.time()) + 600
    for _ in range(count):
        payload = {
            N: os.urandom(16), M: client.peers[MERCHANT][0], A: client.peers[ARCHIVE][0], B: client.peers[BANK][0],
            P: pattern[P], VALUE: amount, EXPIRATION: expiration,
            LIFETIME: expiration + pattern[LIFETIME] - pattern[EXPIRATION],
            H_P1: os.urandom(32), HX: os.urandom(32), -1: [{-1: token, -2: coin["value"]}]}
        yield client.signed("acd-p2", payload, key)


def race(client, times):
    bodies = list(authorizations(client, times))

    def attempt(index, gate):
        line = Line(client, BANK)
        gate.wait(timeout=120)
        return line.post(bodies[index])

    answers = crowd(times, attempt)
    locks = [index for index, (_, reply) in enumerate(answers) if parse(reply)[0] == "acd-p3"]
    if len(locks) != 1:
        kind, _, first = parse(answers[0][1])
        fail(f"{len(locks)} of {times} authorizations of one token were locked; the first answer: {kind} {first}")
    winner = bodies[locks[0]]
    for index, (status, reply) in enumerate(answers):
        if index == locks[0]:
            continue
        kind, _, refusal = parse(reply)
        if status != 200 or kind != "acd-refusal" or refusal[REASON] != LOCKED:
            fail(f"attempt {index}: HTTP {status}, {kind} {refusal.get(REASON)} instead of a refusal as locked")
        if refusal[PROOF] != [winner]:
            fail(f"attempt {index} is refused without the authorization that won")
    print(f"storm.py: {times} authorizations of one token at once: 1 lock, {times - 1} refusals that show it")


# Replay.

def sealed(client, role, messages):
    """What crypto_box_curve25519xchacha20poly1305_seal makes, by libsodium itself."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    trust = parse((client.world / "trust.acd").read_bytes())[2]
    recipient = next(entry[-7] for entry in trust[-4] if entry[-1] == role)
    plain = encoded({FORMAT: "acd-bundle/1", -1: messages})
    box = ctypes.create_string_buffer(len(plain) + 48)
    if sodium.crypto_box_curve25519xchacha20poly1305_seal(box, plain, ctypes.c_ulonglong(len(plain)), recipient) != 0:
        fail("sealing failed")
    return encoded({FORMAT: "acd-sealed/1", -1: recipient, -2: box.raw})


def requests(client):
    """(name, receiver, body), without repetition."""
    seen = set()
    for party in ["wallet", *PARTIES]:
        if not (client.world / party / "store.sqlite").exists():
            continue
        messages = stored(client, party)
        by_hash = {hashlib.sha256(message).digest(): message for message in messages}
        for message in messages:
            kind, payload = peeled(message)
            for role in RECEIVERS.get(kind, []):
                if (message, role) not in seen:
                    seen.add((message, role))
                    yield kind, role, message
            if kind in SUBMISSIONS and party == "merchant":
                lock = by_hash[payload[11]]
                yield kind, SUBMISSIONS[kind][1], sealed(client, SUBMISSIONS[kind][1], [message, lock])


def replay(client, times):
    count, kinds = 0, {}
    alive = {entry for entry in PARTIES.values() if reachable(client, entry)}
    for kind, role, body in requests(client):
        if role not in alive:
            fail(f"{kind}: its receiver does not run")
        per_line = [times // 8 + (index < times % 8) for index in range(8)]

        def repeat(index, gate):
            line = Line(client, role)
            gate.wait(timeout=60)
            return {line.post(body) for _ in range(per_line[index])}

        answers = set().union(*crowd(8, repeat))
        if len(answers) != 1:
            fail(f"{kind} to {role}: {len(answers)} different answers to the same bytes")
        status, reply = answers.pop()
        if status not in (200, 204):
            fail(f"{kind} to {role}: HTTP {status}")
        kinds.setdefault(kind, set()).add(parse(reply)[0] if reply else "nothing")
        count += 1
    for kind, replies in sorted(kinds.items()):
        print(f"  {kind} -> {', '.join(sorted(replies))}")
    print(f"storm.py: {count} messages of {len(kinds)} types, each {times} times: byte-identical answers")


def reachable(client, role):
    try:
        Line(client, role)
        return True
    except OSError:
        return False


def main():
    world, what, times = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    {"race": race, "replay": replay}[what](Client(world), times)


main()
