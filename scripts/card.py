"""A PC/SC client of the card in other people's code: pyscard speaks, cbor2 encodes, cryptography verifies.

`first` makes a new card its holder's, has it sign and hold a receipt, and answers a kiosk; `again` finds all that on a
card that was taken out and put in. Ends with status 1 at the first thing that is not as docs/SPEC.md, "Card", says.
"""

import hashlib
import sys
import time

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from smartcard.CardRequest import CardRequest
from smartcard.CardType import AnyCardType

COUNTER, PAYMENT = b"246810", b"1357902"
OFFICE = bytes([0x0F]) * 32
N, PARCEL = bytes([0x5A]) * 16, "AC7K2M9QX4PT1B63"


def check(holds, what):
    if not holds:
        sys.exit(f"card.py: does not hold: {what}")


def padded(pin):
    return pin.ljust(12, b"\xff")


class Card:
    """One connection. Commands are short where they fit, extended or in parts as `long_form` says."""

    def __init__(self, connection):
        self.connection = connection
        self.long_form = "extended"

    def send(self, apdu):
        data, sw1, sw2 = self.connection.transmit(list(apdu))
        return bytes(data), sw1 << 8 | sw2

    def command(self, ins, p1, p2, data=b"", le=None):
        head = bytes([0, ins, p1, p2])
        if len(data) <= 255 and (le is None or le <= 256):
            body = (bytes([len(data)]) + data if data else b"") + (b"" if le is None else bytes([le & 255]))
            return self.send(head + body)
        if self.long_form == "extended":
            body = b"\0" + (len(data).to_bytes(2, "big") + data if data else b"")
            return self.send(head + body + (b"" if le is None else (le & 0xFFFF).to_bytes(2, "big")))
        while len(data) > 255:
            _, status = self.send(bytes([0x10, ins, p1, p2, 255]) + data[:255])
            check(status == 0x9000, f"a part of {ins:02x}: {status:04x}")
            data = data[255:]
        return self.send(head + bytes([len(data)]) + data + b"\0")

    def ok(self, ins, p1, p2, data=b"", le=None):
        answer, status = self.command(ins, p1, p2, data, le)
        while status >> 8 == 0x61:
            more, status = self.command(0xC0, 0, 0, le=256)
            answer += more
        check(status == 0x9000, f"{ins:02x} {p1:02x} {p2:02x}: {status:04x}")
        return answer

    def refused(self, expected, ins, p1, p2, data=b"", le=None):
        answer, status = self.command(ins, p1, p2, data, le)
        check(status == expected and not answer, f"{ins:02x}: {status:04x} and not {expected:04x}")

    def select(self):
        self.ok(0xA4, 4, 0, bytes.fromhex("F0414344010001"), 256)


def encode(value):
    return cbor2.dumps(value, canonical=True)


def protected(kind, key):
    return encode({1: -8, 4: key, 16: kind})


def structure(kind, key, payload):
    return encode(["Signature1", protected(kind, key), b"", payload])


def sign(kind, payload, seed):
    """A message of another party, by another implementation."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = key.sign(structure(kind, public, payload))
    return encode(cbor2.CBORTag(18, [protected(kind, public), {}, payload, signature]))


def public_of(seed):
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def payment(token_key, amount):
    token = {3: bytes(32), 5: token_key, -1: bytes(32), -2: bytes(32), -3: bytes(256), -4: bytes(32)}
    return encode({0: N, 1: public_of(2), 2: bytes(32), 3: bytes(32), 4: bytes(32), 6: ["EUR", amount],
                   7: 1760000000, 8: 1770000000, 9: bytes(32), 10: bytes(32), -1: [{-1: token, -2: amount}]})


def sale(pseudonym, nonce):
    """A receipt and a kiosk's D1 of it."""
    contract = {4: pseudonym, 6: ["EUR", 1299], 7: 1760000000, 8: 1770000000, -1: 1750000000, -2: bytes(32), -3: [],
                -4: [public_of(3)], -5: [bytes(32)], -6: 1, -7: False, -8: "boots", -9: PARCEL, -10: [OFFICE]}
    p1 = sign("acd-p1", encode({0: N, 10: bytes(32), 15: bytes(32), 16: 56, 17: bytes(32), -1: contract}), 2)
    p4 = sign("acd-p4", encode({0: N, 7: 1760000000, 9: digest(p1), 11: bytes(32), 12: bytes(32)}), 2)
    p5a = sign("acd-p5a", encode({8: 1770000000, 13: 1755000000, -1: p4}), 3)
    receipt = encode({23: "acd-receipt/1", -1: p1, -2: p5a})
    d1 = sign("acd-d1", encode({0: N, 1: public_of(2), 9: digest(p1), 13: 1756000000, 19: bytes([nonce]) * 16,
                                -1: OFFICE, -2: PARCEL, -3: digest(p5a), -4: 1}), 6)
    return receipt, d1


def digest(message):
    return hashlib.sha256(message).digest()


def collect(card, pseudonym, d1):
    card.refused(0x6982, 0x88, 0, 0, d1, 256)
    card.ok(0x20, 0, 0x81, padded(COUNTER))
    d2 = cbor2.loads(card.ok(0x88, 0, 0, d1, 65536))
    check(d2.tag == 18 and cbor2.loads(d2.value[2]) == {18: digest(d1), -1: 1}, "D2 answers this D1")
    Ed25519PublicKey.from_public_bytes(pseudonym).verify(d2.value[3], structure("acd-d2", pseudonym, d2.value[2]))


def first(card):
    card.select()
    check(card.ok(0xCA, 1, 1, le=256) == bytes([1, 7, 3, 3, 10]), "a new card")
    began = time.monotonic()
    for _ in range(100):
        card.ok(0xCA, 1, 1, le=256)
    each = (time.monotonic() - began) * 10
    check(each < 20, f"a command takes {each:.1f} ms: does the card acknowledge each length at once?")
    for reference, old, new in ((0x81, b"123456", COUNTER), (0x82, b"123456", PAYMENT), (0x83, b"12345678", b"987654321012")):
        card.ok(0x24, 0, reference, padded(old) + padded(new))
    card.refused(0x63C2, 0x20, 0, 0x82, padded(b"000000"))
    card.ok(0x20, 0, 0x82, padded(PAYMENT))
    token_key = card.ok(0x47, 0x80, 0, b"\1", 256)[4:]
    pseudonym = card.ok(0x47, 0x80, 0, b"\2", 256)[4:]
    card.ok(0x22, 0x41, 0xB6, bytes.fromhex("84050100000000"))
    to_sign = structure("acd-p2", token_key, payment(token_key, 1299))
    signatures = set()
    for card.long_form in ("extended", "parts"):
        answer = card.ok(0x2A, 0x9E, 0x9A, to_sign, 256)
        Ed25519PublicKey.from_public_bytes(token_key).verify(answer[:64], to_sign)
        check(answer[64] == 1 and answer[65:81] == N and answer[113:116] == b"EUR", "the summary says what was signed")
        check(int.from_bytes(answer[116:124], "big") == 1299, "and how much")
        signatures.add(answer)
    check(len(signatures) == 1, "extended commands and commands in parts are the same")
    card.long_form = "extended"
    card.refused(0x6985, 0x2A, 0x9E, 0x9A, structure("acd-p2", token_key, payment(token_key, 1300)), 256)
    receipt, d1 = sale(pseudonym, 1)
    number = card.ok(0xE2, 0, 0, b"\0" + bytes(4) + receipt, 256)
    check(number == b"\1", "the first receipt")
    check(card.ok(0xB2, 1, 4, le=65536) == receipt, "the receipt comes back, extended")
    check(card.ok(0xB2, 1, 4, le=256) == receipt, "and by GET RESPONSE")
    collect(card, pseudonym, d1)


def again(card):
    card.select()
    card.ok(0x20, 0, 0x82, padded(PAYMENT))
    token_key = card.ok(0x47, 0x81, 0, b"\1" + bytes(4), 256)[4:]
    pseudonym = card.ok(0x47, 0x81, 0, b"\2" + bytes(4), 256)[4:]
    card.ok(0x22, 0x41, 0xB6, bytes.fromhex("84050100000000"))
    card.refused(0x6985, 0x2A, 0x9E, 0x9A, structure("acd-p2", token_key, payment(token_key, 1301)), 256)
    receipt, d1 = sale(pseudonym, 2)
    check(card.ok(0xB2, 1, 4, le=65536) == receipt, "the receipt is still there")
    collect(card, pseudonym, d1)
    card.ok(0x20, 0, 0x82, padded(PAYMENT))
    card.ok(0xE6, 0, 0)
    check(card.ok(0xCA, 1, 1, le=256) == bytes([1, 7, 3, 3, 10]), "a wiped card is a new one")


def main():
    service = CardRequest(timeout=10, cardType=AnyCardType()).waitforcard()
    service.connection.connect()
    {"first": first, "again": again}[sys.argv[1]](Card(service.connection))
    service.connection.disconnect()
    print(f"card: pyscard, {sys.argv[1]}: as docs/SPEC.md says")


if __name__ == "__main__":
    main()
