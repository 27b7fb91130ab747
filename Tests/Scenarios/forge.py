#!/usr/bin/env python3
"""Makes an archive's log say what it must not, with that archive's own key: for scenarios of monitors and judges.

Usage: forge.py DIRECTORY HOW

DIRECTORY is the archive's data directory; its log's files are changed in place. HOW: `rewrite` (the first entry gets
another body), `second` (an abort beside the first commit), `backdate` (an entry older than those before it).

Knows tlog-tiles, RFC 6962 and signed notes from their specifications alone; libsodium signs. Logs of up to 255 entries.
"""
import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import pathlib
import sys


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes):
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node(root(hashes[:split]), root(hashes[split:]))


def sign(directory, text):
    seed = hmac.new((directory / "identity.seed").read_bytes(), b"acd identity: signing\x01", hashlib.sha256).digest()
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    sodium.sodium_init()
    public, secret, signature = (ctypes.create_string_buffer(n) for n in (32, 64, 64))
    sodium.crypto_sign_seed_keypair(public, secret, seed)
    sodium.crypto_sign_detached(signature, None, text, ctypes.c_ulonglong(len(text)), secret)
    name = text.split(b"\n")[0]
    key_id = hashlib.sha256(name + b"\n\x01" + public.raw).digest()[:4]
    return text + "\n— ".encode() + name + b" " + base64.b64encode(key_id + signature.raw) + b"\n"


def main():
    directory, how = pathlib.Path(sys.argv[1]), sys.argv[2]
    log = directory / "log"
    origin, size = (log / "checkpoint").read_text().split("\n")[:2]
    size = int(size)
    bundle = (log / f"tile/entries/000.p/{size}").read_bytes()
    entries = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2:2 + length])
        bundle = bundle[2 + length:]
    first = entries[0]
    if how == "rewrite":
        entries[0] = first[:-1] + bytes([first[-1] ^ 1])
    elif how == "second":
        entries.append(first[:1] + b"\x02" + entries[-1][2:10] + first[10:])
    elif how == "backdate":
        earlier = int.from_bytes(entries[-1][2:10], "big") - 1000
        entries.append(first[:2] + earlier.to_bytes(8, "big") + bytes(32) + bytes([7] * 32) + first[74:])
    hashes = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
    for path, data in (
        (f"tile/0/000.p/{len(entries)}", b"".join(hashes)),
        (f"tile/entries/000.p/{len(entries)}", b"".join(len(e).to_bytes(2, "big") + e for e in entries)),
    ):
        (log / path).write_bytes(data)
    text = f"{origin}\n{len(entries)}\n{base64.b64encode(root(hashes)).decode()}\n".encode()
    (log / "checkpoint").write_bytes(sign(directory, text))


main()
