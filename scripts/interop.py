"""Reads what our programs wrote with other people's: pycose verifies every message, zcbor validates it.

Usage: interop.py DEMO WORLD VECTORS CDDL

DEMO is what `acd demo --keep` left, WORLD a finished scenario with stores and wire/ (interop.sh), VECTORS Tests/Vectors.
Every type of docs/acd.cddl must occur among what really passed, and every signed one among the vectors. Ends with status 1
on the first message that fails.
"""
import concurrent.futures
import hashlib
import pathlib
import re
import sqlite3
import subprocess
import sys

import cbor2
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage

ROLE_BANK, ROLE_ARCHIVE, ROLE_MERCHANT = 1, 2, 3
SERVICES = (ROLE_BANK, ROLE_ARCHIVE, ROLE_MERCHANT)
# Who must have signed what passed: a role of the trust list. Types that are not here are signed by tokens, pseudonyms,
# accounts and the authority.
SIGNER_ROLES = {
    "acd-p1": (ROLE_MERCHANT,), "acd-p3": (ROLE_BANK,), "acd-p4": (ROLE_MERCHANT,), "acd-cancel": (ROLE_MERCHANT,),
    "acd-p5a": (ROLE_ARCHIVE,), "acd-p5b": (ROLE_ARCHIVE,), "acd-offers": (ROLE_MERCHANT,), "acd-credit": (ROLE_BANK,),
    "acd-refusal": SERVICES, "acd-status": SERVICES, "acd-w2": (ROLE_BANK,), "acd-account": (ROLE_BANK,),
    "acd-x2": (ROLE_BANK,), "acd-keys": (ROLE_BANK,), "acd-jb2ack": (ROLE_BANK,), "acd-jb3": (ROLE_MERCHANT,),
    "acd-jb4a": (ROLE_BANK,), "acd-jb4b": (ROLE_BANK,), "acd-n2": (ROLE_MERCHANT,),
    "acd-rf2": (ROLE_MERCHANT,), "acd-rf3": (ROLE_BANK,), "acd-bt1": (ROLE_BANK,), "acd-bt2": (ROLE_BANK,), "acd-bt3": (ROLE_BANK,), "acd-bt4": (ROLE_BANK,),
    "acd-e1": (ROLE_MERCHANT,), "acd-e3": (ROLE_BANK,), "acd-e4": (ROLE_MERCHANT,), "acd-e6": (ROLE_MERCHANT,),
    "acd-held": (ROLE_ARCHIVE,), "acd-e7a": (ROLE_ARCHIVE,), "acd-e7b": (ROLE_ARCHIVE,),
    "acd-r1": (ROLE_MERCHANT,), "acd-r3": (ROLE_BANK,), "acd-r4": (ROLE_MERCHANT,), "acd-r6": (ROLE_MERCHANT,),
    "acd-r8": (ROLE_MERCHANT,), "acd-r9": (ROLE_MERCHANT,), "acd-r10a": (ROLE_ARCHIVE,), "acd-r10b": (ROLE_ARCHIVE,),
    "acd-po": (ROLE_MERCHANT,), "acd-announced": (ROLE_ARCHIVE,), "acd-a7": (ROLE_BANK,), "acd-a8": (ROLE_MERCHANT,),
    "acd-a9a": (ROLE_ARCHIVE,), "acd-a9b": (ROLE_ARCHIVE,),
    "acd-registered": (ROLE_ARCHIVE,), "acd-inv": (ROLE_MERCHANT,), "acd-deposit": (ROLE_MERCHANT,),
    "acd-approval": (ROLE_ARCHIVE,), "acd-passive-record": (ROLE_BANK,),
}
# What stores keep beside messages: the seed of the box around P4, and a bound token.
NO_MESSAGES = {"P4 seed", "token"}
CONTAINER_KEY, BUNDLE_MESSAGES = 23, -1
# In every kind of commit: submission, acknowledgement, the archive's Held, a series' item and its request.
COMMIT_MESSAGES = (-1, -2, -3, -4, -5)
# Types that hold one message, all under this key.
HOLDERS = ("acd-cosign", "acd-announced", "acd-a8", "acd-a9a")
HELD = -1
# INV and S_c{INV}.
DEPOSIT_MESSAGES = (-2, -3)
RECEIPT_MESSAGES = (-1, -2)
PROOF, HISTORY = 20, -1


def is_signed(data):
    return data[:1] == b"\xd2"


def rule_of(data):
    """The rule in the CDDL: the header's type or the container's format."""
    item = cbor2.loads(data)
    name = cbor2.loads(item.value[0])[16] if is_signed(data) else item[CONTAINER_KEY]
    return re.sub("[^a-z0-9]", "-", name)


def payload_of(data):
    """(type, key id, payload) of a COSE_Sign1, decoded independently of our code."""
    tag = cbor2.loads(data)
    assert tag.tag == 18
    protected = cbor2.loads(tag.value[0])
    return protected[16], protected[4], cbor2.loads(tag.value[2])


def inside(data):
    """The messages that stand in this one as byte strings."""
    if not is_signed(data):
        item = cbor2.loads(data)
        kind = item[CONTAINER_KEY]
        if kind == "acd-bundle/1":
            return item[BUNDLE_MESSAGES]
        return [item[key] for key in RECEIPT_MESSAGES] if kind == "acd-receipt/1" else []
    kind, _, payload = payload_of(data)
    if kind in ("acd-p5a", "acd-ja5a", "acd-e7a", "acd-r10a"):
        return [payload[key] for key in COMMIT_MESSAGES if key in payload]
    if kind in HOLDERS:
        return [payload[HELD]]
    if kind == "acd-deposit":
        return [payload[key] for key in DEPOSIT_MESSAGES]
    if kind == "acd-account":
        return payload[HISTORY]
    return payload.get(PROOF, []) if kind in ("acd-status", "acd-refusal", "acd-complaint") else []


def holds(data, key_id):
    message = CoseMessage.decode(data)
    message.key = OKPKey(crv=Ed25519, x=key_id)
    return message.verify_signature()


def verify(name, data, trusted):
    """Checks the signature, that a damaged one does not hold, and the signer's role if there is a trust list."""
    kind, key_id, _ = payload_of(data)
    assert holds(data, key_id), f"{name}: pycose does not verify the signature"
    damaged = bytearray(data)
    damaged[-1] ^= 1
    assert not holds(bytes(damaged), key_id), f"{name}: pycose verifies a damaged signature"
    roles = SIGNER_ROLES.get(kind)
    if trusted is not None and roles is not None:
        assert any((role, key_id) in trusted for role in roles), f"{name}: {kind} by a key that is not trusted"


def validate(name, data, cddl):
    """zcbor accepts the message as the rule of its type."""
    # zcbor 0.9.1 cannot read binary files: hexadecimal on standard input.
    zcbor = pathlib.Path(sys.executable).parent / "zcbor"
    rule = rule_of(data)
    command = [zcbor, "validate", "-c", cddl, "-i", "-", "--input-as", "cborhex", "-t", rule]
    run = subprocess.run(command, capture_output=True, text=True, input=data.hex(), check=False)
    assert run.returncode == 0, f"{name}: zcbor refuses it as {rule}:\n{run.stderr[-2000:]}"


def collect(name, data, found):
    """Adds a message and all inside it, each once, by its hash."""
    if hashlib.sha256(data).digest() in found:
        return
    found[hashlib.sha256(data).digest()] = (name, data)
    for number, message in enumerate(inside(data)):
        collect(f"{name}/{number}", message, found)


def demo_messages(demo, found):
    for path in sorted((demo / "messages").glob("*.cose")):
        collect(f"demo {path.stem}", path.read_bytes(), found)
    collect("demo receipt", (demo / "receipt.acd").read_bytes(), found)


def world_messages(world, found):
    """What the stores hold, and what the client in Python sent and got."""
    for party in ("bank", "bank2", "archive", "archive2", "merchant", "merchant2", "wallet"):
        base = sqlite3.connect(f"file:{world / party / 'store.sqlite'}?mode=ro", uri=True)
        for label, data in base.execute("SELECT label, bytes FROM messages ORDER BY sequence"):
            if label not in NO_MESSAGES:
                collect(f"{party} {label}", data, found)
        for sequence, data in base.execute("SELECT sequence, body FROM records"):
            collect(f"{party} record {sequence}", data, found)
    for path in sorted((world / "wire").glob("*.cbor")):
        collect(f"wire {path.stem}", path.read_bytes(), found)
    for path in sorted(world.glob("*.acd")):
        collect(path.name, path.read_bytes(), found)


def trusted_keys(path, found):
    data = path.read_bytes()
    kind, _, trust = payload_of(data)
    assert kind == "acd-trust"
    collect(str(path), data, found)
    return {(entry[-1], entry[-3]) for entry in trust[-4]}


def vectors(folder):
    """The signed accept vectors: their keys stand in their headers. What is nested there is only filling."""
    for path in sorted((folder / "accept").glob("sign1-*.txt")):
        value = re.search(r"^hex:((?:.*\n)(?: .*\n)*)", path.read_text(encoding="utf-8"), re.M).group(1)
        yield path.stem, bytes.fromhex("".join(value.split()))


def not_sent_yet(name):
    """Types that stand in the table and that no party of this version sends: their protocols are not served yet. And a
    payment, which passes inside a box alone."""
    return re.fullmatch(
        r"acd-(ja5b|nr|p5c|d[0-3]|delegation|payment-1|payment)", name)


def rules(cddl, *lists):
    """All types that these rules of the CDDL list."""
    text = pathlib.Path(cddl).read_text(encoding="utf-8")
    names = set()
    for rule in lists:
        body = re.search(rf"^{rule} =\n(.*?)\n\n", text, re.M | re.S).group(1)
        names.update(re.findall(r"acd-[a-z0-9-]+", body))
    return names


def main():
    demo, world, vector_folder = (pathlib.Path(argument) for argument in sys.argv[1:4])
    cddl = sys.argv[4]
    found = {}
    trusted = trusted_keys(demo / "trust.acd", found) | trusted_keys(world / "trust.acd", found)
    demo_messages(demo, found)
    world_messages(world, found)
    for name, data in found.values():
        if is_signed(data):
            verify(name, data, trusted)
    of_vectors = dict(vectors(vector_folder))
    for name, data in of_vectors.items():
        verify(name, data, None)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(validate, name, data, cddl) for name, data in found.values()]:
            done.result()
    passed = {rule_of(data) for _, data in found.values()}
    missing = {name for name in rules(cddl, "acd-message", "acd-container") - passed if not not_sent_yet(name)}
    assert not any(map(not_sent_yet, passed)), "something passed that is listed as not sent yet"
    assert not missing, f"types of which nothing passed: {sorted(missing)}"
    missing = rules(cddl, "acd-message") - {rule_of(data) for data in of_vectors.values()}
    assert not missing, f"types without a vector: {sorted(missing)}"
    signed = [data for _, data in found.values() if is_signed(data)]
    print(f"interop: {len(signed)} messages of {len({payload_of(data)[0] for data in signed})} types verified by pycose; with "
          f"{len(found) - len(signed)} containers validated by zcbor; {len(of_vectors)} vectors verified by pycose")


main()
