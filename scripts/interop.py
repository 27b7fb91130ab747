"""Verifies every message of a purchase with pycose and validates it with zcbor.

Usage: interop.py DIR CDDL. DIR is what `acd demo --keep` left. Ends with status 1 on the first message that fails.
"""
import pathlib
import subprocess
import sys

import cbor2
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage

ROLE_BANK, ROLE_ARCHIVE, ROLE_MERCHANT = 1, 2, 3
SIGNER_ROLES = {
    "acd-p1": ROLE_MERCHANT, "acd-p3": ROLE_BANK, "acd-p4": ROLE_MERCHANT, "acd-p5a": ROLE_ARCHIVE,
    "acd-w2": ROLE_BANK,
}


def payload_of(data):
    """(type, key id, payload) of a COSE_Sign1, decoded independently of our code."""
    tag = cbor2.loads(data)
    assert tag.tag == 18
    protected = cbor2.loads(tag.value[0])
    return protected[16], protected[4], cbor2.loads(tag.value[2])


def verify(name, data, trusted):
    """Checks the signature, and the signer's place in the trust list where the message needs one."""
    kind, key_id, payload = payload_of(data)
    message = CoseMessage.decode(data)
    message.key = OKPKey(crv=Ed25519, x=key_id)
    assert message.verify_signature(), f"{name}: pycose does not verify the signature"
    role = SIGNER_ROLES.get(kind)
    if role is not None:
        assert (role, key_id) in trusted, f"{name}: the signer is not in the trust list as role {role}"
    damaged = bytearray(data)
    damaged[-1] ^= 1
    message = CoseMessage.decode(bytes(damaged))
    message.key = OKPKey(crv=Ed25519, x=key_id)
    assert not message.verify_signature(), f"{name}: pycose verifies a damaged signature"
    if kind == "acd-cosign":
        verify(name + " (inside)", payload[-1], trusted)
    return kind


def validate(name, path, cddl, rule):
    """zcbor accepts the message as the rule of its type."""
    # zcbor 0.9.1 cannot read binary files: hexadecimal on standard input.
    zcbor = pathlib.Path(sys.executable).parent / "zcbor"
    command = [zcbor, "validate", "-c", cddl, "-i", "-", "--input-as", "cborhex", "-t", rule]
    run = subprocess.run(command, capture_output=True, text=True, input=path.read_bytes().hex())
    assert run.returncode == 0, f"{name}: zcbor refuses it as {rule}:\n{run.stderr[-2000:]}"


def main():
    root, cddl = pathlib.Path(sys.argv[1]), sys.argv[2]
    trust_kind, authority, trust = payload_of((root / "trust.acd").read_bytes())
    assert trust_kind == "acd-trust"
    trusted = {(entry[-1], entry[-3]) for entry in trust[-4]}
    messages = sorted((root / "messages").glob("*.cose"))
    assert len(messages) >= 8, "the demo left too few messages"
    for path in messages:
        kind = verify(path.stem, path.read_bytes(), trusted)
        validate(path.stem, path, cddl, kind)
    validate("receipt", root / "receipt.acd", cddl, "acd-receipt-1")
    print(f"interop: {len(messages)} messages verified by pycose and, with the receipt, validated by zcbor")


main()
