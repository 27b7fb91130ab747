// The vectors that C and Swift share, run through the Swift types: same bytes, same verdicts.

import Messages
import Testing

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
  /// (255) is refused, because nobody could act on it; and hashes have an order, and are a checkpoint's.
  private static let swiftRules = [
    "sign1-small-order-key": "missing-field", "sign1-type-changed": "unknown-field",
    "map-acd-status-large": "field-range", "map-acd-timestamp-1-large": "field-range",
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
