// The vectors that C and Swift share, run through the Swift types: same bytes, same verdicts.

import Messages
import Testing

/// What the tests do with a type of the table, without knowing it at compile time.
private struct Codec {
  /// Decodes and encodes again.
  let again: ([UInt8]) throws(MessageError) -> [UInt8]
  /// Checks the one signature; nil for what is not signed.
  let verify: (([UInt8]) throws(MessageError) -> [UInt8])?

  init<F: Fields>(map _: F.Type) {
    again = { (bytes) throws(MessageError) in try F(encoded: bytes).encoded() }
    verify = nil
  }

  init<P: Payload>(signed _: P.Type) {
    again = { (bytes) throws(MessageError) in try P(encoded: bytes).encoded() }
    verify = { (bytes) throws(MessageError) in
      let message = try Unverified<P>(bytes)
      let verified = try Verified(message, by: .key(message.claimedSigners[0]))
      return verified.bytes
    }
  }

  static func of(_ type: MessageType) -> Codec {
    switch type {
    case .p1: Codec(signed: P1.self)
    case .p2: Codec(signed: P2.self)
    case .coSign: Codec(signed: CoSign.self)
    case .p3: Codec(signed: P3.self)
    case .acknowledgement: Codec(signed: Acknowledgement.self)
    case .p4: Codec(signed: P4.self)
    case .cancel: Codec(signed: Cancel.self)
    case .p5a: Codec(signed: P5a.self)
    case .p5b: Codec(signed: P5b.self)
    case .n1: Codec(signed: N1.self)
    case .nak: Codec(signed: NAK.self)
    case .offers: Codec(signed: Offers.self)
    case .credit: Codec(signed: Credit.self)
    case .refusal: Codec(signed: Refusal.self)
    case .statusQuery: Codec(signed: StatusQuery.self)
    case .status: Codec(signed: StatusAnswer.self)
    case .w1: Codec(signed: W1.self)
    case .w2: Codec(signed: W2.self)
    case .accountQuery: Codec(signed: AccountQuery.self)
    case .account: Codec(signed: AccountAnswer.self)
    case .x1: Codec(signed: X1.self)
    case .x2: Codec(signed: X2.self)
    case .keyList: Codec(signed: KeyList.self)
    case .trustList: Codec(signed: TrustList.self)
    case .receipt: Codec(map: Receipt.self)
    case .bundle: Codec(map: Bundle.self)
    case .sealed: Codec(map: SealedMessage.self)
    case .contract: Codec(map: Contract.self)
    case .token: Codec(map: Token.self)
    case .tokenInput: Codec(map: TokenInput.self)
    case .blinded: Codec(map: Blinded.self)
    case .denomination: Codec(map: Denomination.self)
    case .trustEntry: Codec(map: TrustEntry.self)
    case .offer: Codec(map: Offer.self)
    }
  }
}

@Suite("The vectors shared with C")
struct VectorTests {
  @Test(
    "a map is accepted or refused as its file says, and encoded again to the same bytes",
    arguments: ["accept", "reject"])
  func maps(folder: String) throws {
    let files = try VectorFile.all(in: folder, what: "map")
    #expect(files.count > 50)
    for file in files {
      let type = try #require(MessageType.allCases.first { $0.name == file.what[1] }, "\(file)")
      let bytes = try file.bytes("hex")!
      do throws(MessageError) {
        let again = try Codec.of(type).again(bytes)
        #expect(file.expect == "ok", "\(file) must be refused")
        #expect(again == bytes, "\(file)")
      } catch { #expect(error.rule == (Self.swiftRules[file.description] ?? file.expect), "\(file)") }
    }
  }

  /// Where Swift refuses by another rule than C, and why: `Unverified` reads the payload before the signature
  /// is checked, so that the rule about the signer can be asked; and a state that this build does not know
  /// (255) is refused, because nobody could act on it.
  private static let swiftRules = [
    "sign1-small-order-key": "missing-field", "sign1-type-changed": "unknown-field",
    "map-acd-status-large": "field-range",
  ]

  @Test("a signed message is accepted or refused as its file says", arguments: ["accept", "reject"])
  func signed(folder: String) throws {
    let files = try VectorFile.all(in: folder, what: "sign1")
    #expect(files.count > 10)
    for file in files {
      let bytes = try file.bytes("hex")!
      do throws(MessageError) {
        let type = try MessageType(peeking: bytes)
        let verify = Codec.of(type).verify
        #expect(verify != nil, "\(file) is of a type that nobody signs")
        let again = try verify?(bytes)
        #expect(file.expect == "ok", "\(file) must be refused")
        #expect(again == bytes, "\(file)")
      } catch { #expect(error.rule == (Self.swiftRules[file.description] ?? file.expect), "\(file)") }
    }
  }

  @Test("a receipt is valid, or fails at the check that its file names", arguments: ["accept", "reject"])
  func receipts(folder: String) throws {
    let files = try VectorFile.all(in: folder, what: "receipt")
    #expect(!files.isEmpty)
    for file in files {
      let authority = try file.bytes("authority").map { PublicKey($0)! }
      let now = try #require(UInt64(file.values["now"] ?? ""), "\(file)")
      let trust = try file.bytes("trust")!
      let receipt = try file.bytes("hex")!
      do throws(ReceiptFailure) {
        _ = try verifyReceipt(receipt, trust: trust, authority: authority, at: now)
        #expect(file.expect == "ok", "\(file) must be refused")
        #expect(file.values["check"] == "none", "\(file)")
      } catch {
        #expect(file.expect == error.status, "\(file)")
        #expect(file.values["check"] == error.check, "\(file)")
      }
    }
  }

  @Test("CBOR that is not deterministic, or no CBOR at all, is no message of any type")
  func cbor() throws {
    let files = try VectorFile.all(in: "reject", what: "cbor")
    #expect(files.count > 30)
    for file in files {
      let bytes = try file.bytes("hex")!
      #expect(refusal { () throws(MessageError) in try Dump(decoding: bytes) } != nil, "\(file)")
      for type in MessageType.allCases {
        let again = Codec.of(type).again
        #expect(refusal { () throws(MessageError) in try again(bytes) } != nil, "\(file) as \(type.name)")
      }
    }
  }
}
