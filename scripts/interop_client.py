"""A customer in another language: what the wallet of `acd` does not send by itself, made and signed with pycose.

Usage: interop_client.py WORLD ask | decline | records

WORLD holds trust.acd, ca/ca.pem and wallet/. Keys come from the wallet's root as docs/SPEC.md section 4 says. Every
message that goes out or comes back is left in WORLD/wire/NAME.cbor. Ends with status 1 when an answer is not the one that
the specification names.

  ask      signed offers and keys; a status query and its answer at archive, merchant and bank; an account query and its
           answer; a request that the merchant must refuse
  decline  a NAK that declines the latest purchase
  records  what the archive has published of the wallet's purchases
"""
import hashlib
import hmac
import os
import pathlib
import sqlite3
import ssl
import sys
import urllib.error
import urllib.request

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pycose.headers import KID, Algorithm
from pycose.algorithms import EdDSA
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import Sign1Message

BANK, ARCHIVE, MERCHANT = 1, 2, 3
N, M, B, VALUE, H_P1, REASON, H_REQUEST, NONCE, PROOF, STATE = 0, 1, 3, 6, 9, 14, 18, 19, 20, 21
UNTRUSTED, NO_SUCH_OFFER = 2, 15
COMMITTED = 4
CORE = 1


def expand(root, info):
    """HKDF-Expand with HMAC-SHA-256, 32 bytes: one block."""
    return hmac.new(root, info + b"\x01", hashlib.sha256).digest()


def parse(data):
    """(type, key id, payload) of a COSE_Sign1."""
    protected, _, payload, _ = cbor2.loads(data).value
    header = cbor2.loads(protected)
    return header[16], header[4], cbor2.loads(payload)


class Client:
    def __init__(self, world):
        self.world = world
        self.root = (world / "wallet/wallet.seed").read_bytes()
        self.tls = ssl.create_default_context(cafile=world / "ca/ca.pem")
        trust = parse((world / "trust.acd").read_bytes())[2]
        # The first of each role, as the wallet chooses where nobody is named.
        self.peers = {entry[-1]: (entry[-3], entry[-8]) for entry in reversed(trust[-4])}
        self.wire = world / "wire"
        self.wire.mkdir(exist_ok=True)

    def key(self, purpose, index):
        """A key of the wallet, as OKPKey."""
        info = b"acd wallet: " + purpose.encode() + b" " + index.to_bytes(8, "big")
        seed = expand(self.root, info)
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        return OKPKey(crv=Ed25519, d=seed, x=public)

    def signed(self, kind, payload, key):
        message = Sign1Message(
            phdr={Algorithm: EdDSA, KID: key.x, 16: kind}, payload=cbor2.dumps(payload, canonical=True))
        message.key = key
        return message.encode()

    def request(self, url, body=None):
        """(HTTP status, body)."""
        kind = {"Content-Type": "application/cose"} if body is not None else {}
        try:
            with urllib.request.urlopen(
                    urllib.request.Request(url, data=body, headers=kind), context=self.tls, timeout=20) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def keep(self, name, data):
        (self.wire / f"{name}.cbor").write_bytes(data)

    def get(self, name, role, path):
        status, body = self.request(self.peers[role][1] + path)
        assert status == 200, f"GET {path}: HTTP {status}"
        self.keep(name, body)
        return body

    def send(self, name, role, body):
        """Sends a message, keeps it and the answer, and returns the answer; None when there is no body."""
        self.keep(name, body)
        status, reply = self.request(self.peers[role][1] + "/v1/messages", body)
        assert 200 <= status < 300, f"{name}: HTTP {status} {reply[:200]}"
        if reply:
            self.keep(name + "-answer", reply)
            kind, signer, _ = parse(reply)
            assert signer == self.peers[role][0], f"{name}: answered by another key"
        return reply or None

    def purchases(self, label):
        """(number, message) of every purchase that got this message, from the wallet's store."""
        base = sqlite3.connect(f"file:{self.world}/wallet/store.sqlite?mode=ro", uri=True)
        rows = base.execute(
            "SELECT key, bytes FROM messages WHERE kind = 'purchase' AND label = ? ORDER BY sequence", (label,))
        return [(int.from_bytes(key, "big"), data) for key, data in rows]


def hash_of(data):
    return hashlib.sha256(data).digest()


def expect_answer(reply, kind, request):
    got, _, payload = parse(reply)
    assert got == kind, f"{got} instead of {kind}: {payload}"
    assert payload[H_REQUEST] == hash_of(request), f"{kind} does not answer this request"
    return payload


def ask(client):
    number, p1 = client.purchases("P1")[0]
    _, merchant, terms = parse(p1)
    pseudonym = client.key("pseudonym", number)
    assert terms[-1][4] == pseudonym.x, "the contract's P is not what section 4 derives"
    client.get("offers", MERCHANT, "/v1/offers")
    client.get("keys", BANK, "/v1/keys")
    for name, role in [("archive", ARCHIVE), ("merchant", MERCHANT), ("bank", BANK)]:
        query = client.signed("acd-query", {N: terms[N], M: merchant, NONCE: os.urandom(16)}, pseudonym)
        answer = expect_answer(client.send("query-" + name, role, query), "acd-status", query)
        assert answer[STATE] == COMMITTED and answer[PROOF], f"the {name} says {answer}"
    account = client.key("account", 0)
    query = client.signed("acd-account-query", {B: client.peers[BANK][0], NONCE: os.urandom(16), -1: 0}, account)
    answer = expect_answer(client.send("account-query", BANK, query), "acd-account", query)
    assert [parse(message)[0] for message in answer[-1]] == ["acd-w1", "acd-w2"], "no history"
    nothing = client.signed("acd-n1", {VALUE: ["EUR", 1], NONCE: os.urandom(16), -1: bytes(16), -2: False, -3: CORE}, pseudonym)
    refusal = expect_answer(client.send("refused", MERCHANT, nothing), "acd-refusal", nothing)
    assert refusal[REASON] == NO_SUCH_OFFER, refusal
    damaged = query[:-1] + bytes([query[-1] ^ 1])
    reply = client.send("damaged", BANK, damaged)
    assert expect_answer(reply, "acd-refusal", damaged)[REASON] == UNTRUSTED, "a damaged signature counts"
    (client.wire / "damaged.cbor").unlink()


def decline(client):
    number, p1 = client.purchases("P1")[-1]
    _, _, terms = parse(p1)
    nak = client.signed(
        "acd-nak", {N: terms[N], H_P1: hash_of(p1), -1: True}, client.key("pseudonym", number))
    reply = client.send("nak", MERCHANT, nak)
    assert reply is None or parse(reply)[0] != "acd-refusal", f"the merchant refuses the NAK: {parse(reply)}"


def records(client):
    shown = 0
    for label in ("P1", "E1", "R1"):
        for number, contract in client.purchases(label):
            _, merchant, terms = parse(contract)
            body = client.get(f"record-{number}", ARCHIVE, f"/v1/records/{merchant.hex()}/{terms[N].hex()}")
            shown += len(cbor2.loads(body)[-1])
    assert shown, "the archive shows no outcome to whoever knows its number"


def main():
    world, what = pathlib.Path(sys.argv[1]), sys.argv[2]
    {"ask": ask, "decline": decline, "records": records}[what](Client(world))


if __name__ == "__main__":
    main()
