// The parties of the measured purchases: keys from fixed seeds, a trust list, one denomination key, and real
// tokens under it. Made once; nothing here is measured.

import BlindTokens
import Messages
import Parties

/// A party's key pair; the class only lends it.
final class Party {
  let key: SigningKey

  init(_ byte: UInt8) {
    var seed = [UInt8](repeating: byte, count: 32)
    key = SigningKey(seed: &seed)
  }

  var publicKey: PublicKey { key.publicKey }
}

final class World {
  static let now: Timestamp = 1_767_225_600
  static let expiration = now + 600
  static let lifetime = now + 86_400
  static let price = Money("EUR:12.00")!
  static let description = "A map of the lake"

  let (merchant, archive, bank, pseudonym) = (Party(1), Party(2), Party(3), Party(4))
  let archiveBox: SealingKey
  let trust: TrustList
  let tokenKeys: [Party]
  let tokens: [TokenInput]
  let denomination: Denomination
  let verifier: BlindingKey
  let goodsKey = [UInt8](repeating: 0x6b, count: 32)
  let n = TransactionID([UInt8](repeating: 0x4e, count: 16))!

  /// A purchase that `count` tokens pay, each with the same part of the price.
  init(tokens count: Int) throws {
    var seed = [UInt8](repeating: 5, count: 32)
    archiveBox = SealingKey(seed: &seed)
    func entry(_ role: Role, _ party: Party) -> TrustEntry {
      TrustEntry(
        role: role, name: "\(role.name)", key: party.publicKey, from: Self.now - 1000,
        until: Self.lifetime + 1000)
    }
    trust = TrustList(
      at: Self.now - 1000, until: Self.lifetime, sequence: 1, previous: nil,
      entries: [entry(.bank, bank), entry(.archive, archive), entry(.merchant, merchant)],
      answerSeconds: 30, skewSeconds: 5, lifetimeSeconds: 3600, goodsLengthMax: 1 << 40)
    let signer = try BlindSigningKey.generate()
    let value = Money("EUR:20.00")!
    let blinding = try signer.publicKey(currency: "EUR", value: value.amount)
    verifier = blinding
    denomination = Denomination(
      value: value, id: Hash(blinding.keyID)!, modulus: blinding.modulus, issueFrom: Self.now - 100,
      issueUntil: Self.now + 100, spendUntil: Self.lifetime + 1)
    let keys = (0..<count).map { Party(UInt8(100 + $0)) }
    tokenKeys = keys
    let bankKey = bank.publicKey
    tokens = try keys.map { party in
      let serial = Hash(of: party.publicKey.bytes)
      let id = Hash.token(key: party.publicKey, serial: serial)
      let request = try blinding.blind(message: id.bytes)
      let signature = try blinding.finalize(
        blindSignature: signer.sign(blinded: request.blinded), inverse: request.inverse, message: id.bytes)
      let token = Token(
        bank: bankKey, key: party.publicKey, serial: serial, keyID: Hash(blinding.keyID)!,
        signature: signature, issuer: bankKey)
      return TokenInput(token: token, amount: Self.price.amount / UInt64(count))
    }
  }

  /// The contract before it is signed.
  var contract: P1 {
    let salt = Hash([UInt8](repeating: 0x5a, count: 32))!
    return P1(
      n: n, hx: .keyCommitment(.core, merchant: merchant.publicKey, n: n, key: goodsKey), root: salt,
      length: Goods.sealedLength(of: 1000), salt: salt,
      contract: Contract(
        pseudonym: pseudonym.publicKey, price: Self.price, expirationMax: Self.expiration,
        lifetime: Self.lifetime, date: Self.now,
        descriptionHash: .description(Self.description, salt: salt), digests: [salt],
        archives: [archive.publicKey], banks: [bank.publicKey], twoSided: false, name: "map.pdf"))
  }
}
