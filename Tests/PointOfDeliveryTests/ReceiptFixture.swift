// A valid receipt and the trust list for it, built from fixed seeds, and every part of them open to change
// before it is signed: so a test states only what is broken.

import Messages

/// The makings of a receipt. `build()` puts them together; as they are, the receipt is valid at `now`.
struct ReceiptFixture {
  /// The parties' seeds: 32 times this byte.
  enum Party: UInt8 {
    case authority = 1
    case merchant, archive, pseudonym, bank, otherMerchant, otherArchive, stranger

    func sign<P: Payload>(_ payload: P) throws -> [UInt8] {
      var seed = [UInt8](repeating: rawValue, count: 32)
      return try Verified(signing: payload, with: SigningKey(seed: &seed)).bytes
    }

    var key: PublicKey {
      var seed = [UInt8](repeating: rawValue, count: 32)
      return SigningKey(seed: &seed).publicKey
    }
  }

  static let listDate: Timestamp = 1_767_225_600  // 2026-01-01T00:00:00Z
  static let listEnd: Timestamp = listDate + 90 * 86_400
  static let contractDate: Timestamp = listDate + 10 * 86_400
  static let committedAt: Timestamp = contractDate + 60
  static let expiration: Timestamp = contractDate + 3_600
  static let now: Timestamp = committedAt + 86_400
  static let skewSeconds: UInt64 = 120
  static let description = "A dozen croissants, baked at dawn"

  static let n = TransactionID([UInt8](repeating: 0x42, count: 16))!
  static let key = [UInt8](repeating: 0x5a, count: 32)

  // What is built, in the order of building. Each change sees the part as it would be valid.
  var merchantSigner = Party.merchant
  var p4Signer = Party.merchant
  var archiveSigner = Party.archive
  var authoritySigner = Party.authority
  var changeP1: (inout P1) -> Void = { _ in }
  var damageP1: (inout [UInt8]) throws -> Void = { _ in }
  var changeP4: (inout P4) -> Void = { _ in }
  var damageP4: (inout [UInt8]) throws -> Void = { _ in }
  var changeP5a: (inout P5a) -> Void = { _ in }
  var damageP5a: (inout [UInt8]) throws -> Void = { _ in }
  var changeReceipt: (inout Receipt) -> Void = { _ in }
  var damageReceipt: (inout [UInt8]) -> Void = { _ in }
  var changeTrust: (inout TrustList) -> Void = { _ in }
  var damageTrust: (inout [UInt8]) throws -> Void = { _ in }

  /// The receipt's and the trust list's bytes.
  func build() throws -> (receipt: [UInt8], trust: [UInt8]) {
    var p1 = Self.p1
    changeP1(&p1)
    let sound = try merchantSigner.sign(p1)
    var p1Bytes = sound
    try damageP1(&p1Bytes)

    var p4 = P4(
      n: Self.n, expiration: Self.expiration, hP1: Hash(of: sound), lock: Hash(of: [3]), key: Self.key)
    changeP4(&p4)
    var p4Bytes = try p4Signer.sign(p4)
    try damageP4(&p4Bytes)

    var p5a = P5a(submission: p4Bytes, at: Self.committedAt, lifetime: Self.listEnd)
    changeP5a(&p5a)
    var p5aBytes = try archiveSigner.sign(p5a)
    try damageP5a(&p5aBytes)

    var receipt = Receipt(p1: p1Bytes, p5a: p5aBytes, description: Self.description)
    changeReceipt(&receipt)
    var receiptBytes = try receipt.encoded()
    damageReceipt(&receiptBytes)

    var trust = Self.trustList
    changeTrust(&trust)
    var trustBytes = try authoritySigner.sign(trust)
    try damageTrust(&trustBytes)
    return (receiptBytes, trustBytes)
  }

  /// The check that fails for what is built, or nil if none does.
  func failedCheck(authority: PublicKey? = Party.authority.key, at time: Timestamp = now) throws -> String? {
    let (receipt, trust) = try build()
    return Self.failedCheck(receipt, trust, authority: authority, at: time)
  }

  static func failedCheck(
    _ receipt: [UInt8], _ trust: [UInt8], authority: PublicKey? = Party.authority.key,
    at time: Timestamp = now
  ) -> String? {
    do throws(ReceiptFailure) {
      _ = try verifyReceipt(receipt, trust: trust, authority: authority, at: time)
      return nil
    } catch {
      return error.check
    }
  }

  // MARK: Parts as they are valid

  static var p1: P1 {
    let salt = Hash(of: [1])
    let contract = Contract(
      pseudonym: Party.pseudonym.key, price: Money("EUR:12.34")!, expirationMax: expiration,
      lifetime: listEnd,
      date: contractDate, descriptionHash: .description(description, salt: salt),
      digests: [Hash(of: [2])], archives: [Party.archive.key, Party.otherArchive.key],
      banks: [Party.bank.key],
      twoSided: false, name: "croissants.pdf", parcel: "PARCEL-0007")
    return P1(
      n: n, hx: .keyCommitment(.core, merchant: Party.merchant.key, n: n, key: key), root: Hash(of: [4]),
      length: 1_000,
      salt: salt, contract: contract)
  }

  static var trustList: TrustList {
    func entry(_ role: Role, _ name: String, _ party: Party) -> TrustEntry {
      TrustEntry(role: role, name: name, key: party.key, from: listDate, until: listEnd)
    }
    return TrustList(
      at: listDate, until: listEnd, sequence: 7, previous: nil,
      entries: [
        entry(.merchant, "Bakery Lovelace", .merchant), entry(.archive, "Archive North", .archive),
        entry(.merchant, "Florist Hopper", .otherMerchant), entry(.archive, "Archive South", .otherArchive),
      ],
      answerSeconds: 30, skewSeconds: skewSeconds, lifetimeSeconds: 30 * 86_400, goodsLengthMax: 1 << 40)
  }

  /// A change to the one trust entry of this party.
  static func entry(of party: Party, _ change: @escaping (inout TrustEntry) -> Void) -> (inout TrustList) ->
    Void
  {
    { list in
      for index in list.entries.indices where list.entries[index].key == party.key {
        change(&list.entries[index])
      }
    }
  }

  /// A change that leaves this party out of the trust list.
  static func without(_ party: Party) -> (inout TrustList) -> Void {
    { list in list.entries.removeAll { $0.key == party.key } }
  }

  // MARK: The archive's log

  static let origin = "archive.example/log"

  /// A list that demands the archive's log, cosigned by the stranger.
  static func demandingLog(age: UInt64? = nil) -> (inout TrustList) -> Void {
    { list in
      // Keys from fixed seeds are sound.
      let log = try! NoteKey(name: origin, kind: .log, publicKey: Party.archive.key)
      let witness = try! NoteKey(name: "w", kind: .cosigner, publicKey: Party.stranger.key)
      list.policy = "log \(log.vkey)\nwitness w \(witness.vkey)\nquorum w\n"
      list.checkpointAgeSeconds = age
    }
  }

  /// A log of one entry, the receipt's; cosigned at a time, or by nobody.
  static func proven(at time: Timestamp?, lock: Hash = Hash(of: [3])) -> (inout Receipt) -> Void {
    { receipt in
      let leaf = LogLeaf(
        kind: .commit, at: committedAt, subject: LogLeaf.transaction(Party.merchant.key, n), lock: lock,
        body: Hash(of: receipt.p5a))
      func key(_ party: Party) -> SigningKey {
        var seed = [UInt8](repeating: party.rawValue, count: 32)
        return SigningKey(seed: &seed)
      }
      let checkpoint = Checkpoint(origin: origin, size: 1, root: leaf.hash)
      let log = try! NoteKey(name: origin, kind: .log, publicKey: Party.archive.key)
      var note = try! checkpoint.signed(as: log, with: key(.archive))
      if let time {
        let witness = try! NoteKey(name: "w", kind: .cosigner, publicKey: Party.stranger.key)
        note += try! key(.stranger).noteLine(witness, over: checkpoint.text(), at: time)
      }
      receipt.proof = try! TlogProof.packed(TlogProof.text(index: 0, path: [], checkpoint: note))
    }
  }

  /// Turns the last bit over: the signature's, in a signed message.
  static func flipLastBit(_ bytes: inout [UInt8]) { bytes[bytes.count - 1] ^= 1 }
}
