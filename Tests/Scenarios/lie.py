#!/usr/bin/env python3
"""Signs what a lying party would sign, with that party's own key: for scenarios of disputes. All that is true around the
lie came from real services.

Usage: lie.py DIRECTORY EVIDENCE TYPE [CHANGE...] >MESSAGE

DIRECTORY is the party's data directory. The message starts as the first of TYPE in EVIDENCE (a bundle or a message; what is
inside others counts), or empty if there is none. Changes, in order:

  like=TYPE      the common fields (keys 0 and up) of another message
  KEY=INTEGER    KEY=+INTEGER adds     KEY=now          KEY=random (16 bytes)    KEY= takes the field away
  KEY=TYPE       H of that message     KEY=TYPE.KEY2    its field                KEY=[TYPE] a list of the message itself

Knows CBOR, COSE_Sign1 and the derivation of a party's key from docs/SPEC.md alone; libsodium signs.
"""
import ctypes
import ctypes.util
import hashlib
import hmac
import os
import pathlib
import sys
import time

TAG_SIGN1 = b"\xd2\x84"  # the tag, and an array of four


def decode(data, at=0):
    """(value, end) of one deterministic CBOR item; a tag gives its content."""
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return {20: False, 21: True, 22: None}[info], at
    if info >= 24:
        size = 1 << (info - 24)
        info, at = int.from_bytes(data[at:at + size], "big"), at + size
    if major == 0:
        return info, at
    if major == 1:
        return -1 - info, at
    if major in (2, 3):
        raw = bytes(data[at:at + info])
        return (raw if major == 2 else raw.decode()), at + info
    if major == 6:
        return decode(data, at)
    items = []
    for _ in range(info * (major - 3)):
        item, at = decode(data, at)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at


def head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    size = next(s for s in (1, 2, 4, 8) if number < 1 << 8 * s)
    return bytes([major << 5 | 24 + size.bit_length() - 1]) + number.to_bytes(size, "big")


def encode(value):
    if value is None or isinstance(value, bool):
        return bytes([{False: 0xf4, True: 0xf5, None: 0xf6}[value]])
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    return head(5, len(value)) + b"".join(sorted(encode(k) + encode(v) for k, v in value.items()))


def messages(value):
    """All signed messages in a decoded value, outer ones first: (type, payload, bytes)."""
    if isinstance(value, bytes) and value[:2] == TAG_SIGN1:
        (protected, _, payload, _), _ = decode(value)
        fields, name = decode(payload)[0], decode(protected)[0][16]
        while name == "acd-cosign":  # what several tokens sign is one message, and its hash is that of all of it
            (protected, _, payload, _), _ = decode(fields[-1])
            fields, name = decode(payload)[0], decode(protected)[0][16]
        yield name, fields, value
        value = fields
    if isinstance(value, (list, dict)):
        for item in value if isinstance(value, list) else value.values():
            yield from messages(item)


def read(path):
    data = pathlib.Path(path).read_bytes()
    found = {}
    for name, fields, raw in messages(data if data[:2] == TAG_SIGN1 else decode(data)[0]):
        found.setdefault(name, (fields, raw))
    return found


def sign(directory, name, payload):
    root = (pathlib.Path(directory) / "identity.seed").read_bytes()
    seed = hmac.new(root, b"acd identity: signing\x01", hashlib.sha256).digest()
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    sodium.sodium_init()
    public, secret, signature = (ctypes.create_string_buffer(n) for n in (32, 64, 64))
    sodium.crypto_sign_seed_keypair(public, secret, seed)
    protected = encode({1: -8, 4: public.raw, 16: name})
    signed = b"\x84\x6aSignature1" + encode(protected) + b"\x40" + encode(payload)
    sodium.crypto_sign_detached(signature, None, signed, ctypes.c_ulonglong(len(signed)), secret)
    return TAG_SIGN1[:1] + encode([protected, {}, payload, signature.raw])


def value_of(text, known, old):
    if text == "now":
        return int(time.time())
    if text == "random":
        return os.urandom(16)
    if text.lstrip("+").isdigit():
        return int(text) + (old if text[0] == "+" else 0)
    if text[0] == "[":
        return [known[text[1:-1]][1]]
    name, _, key = text.partition(".")
    return known[name][0][int(key)] if key else hashlib.sha256(known[name][1]).digest()


def main():
    directory, evidence, name, *changes = sys.argv[1:]
    known = read(evidence)
    fields = dict(known[name][0]) if name in known else {}
    for change in changes:
        key, _, text = change.partition("=")
        if key == "like":
            fields.update({k: v for k, v in known[text][0].items() if k >= 0})
        elif text:
            fields[int(key)] = value_of(text, known, fields.get(int(key)))
        else:
            fields.pop(int(key), None)
    sys.stdout.buffer.write(sign(directory, name, encode(fields)))


main()
