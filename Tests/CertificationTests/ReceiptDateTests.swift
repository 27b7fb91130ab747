// A receipt shown with a timestamp: of its commit, or of its archive's log.

import Messages
import Testing

@testable import Certification

@Suite("When a receipt existed")
struct ReceiptDateTests {
  private let authority = TestAuthority()
  private let p5a: [UInt8]
  private let leaf: LogLeaf

  private static func sign<P: Payload>(_ payload: P, _ byte: UInt8) throws -> Verified<P> {
    var seed = [UInt8](repeating: byte, count: 32)
    return try Verified(signing: payload, with: SigningKey(seed: &seed))
  }

  init() throws {
    func hash(_ byte: UInt8) -> Hash { Hash([UInt8](repeating: byte, count: 32))! }
    let n = TransactionID([UInt8](repeating: 1, count: 16))!
    let p4 = try Self.sign(
      P4(n: n, expiration: 2_000_000_000, hP1: hash(3), lock: hash(4), key: hash(2).bytes), 1)
    let commit = try Self.sign(P5a(submission: p4.bytes, at: 1_700_000_000, lifetime: 2_000_000_001), 2)
    p5a = commit.bytes
    leaf = LogLeaf(
      kind: .commit, at: 1_700_000_000, subject: LogLeaf.transaction(p4.signer, n), lock: hash(4),
      body: commit.hash)
  }

  private func note(_ root: Hash, key byte: UInt8 = 2) throws -> [UInt8] {
    var seed = [UInt8](repeating: byte, count: 32)
    let signing = SigningKey(seed: &seed)
    let checkpoint = Checkpoint(origin: "archive.example/log", size: 1, root: root)
    return try checkpoint.signed(
      as: NoteKey(name: checkpoint.origin, kind: .log, publicKey: signing.publicKey), with: signing)
  }

  private func why(_ stamp: EvidenceTimestamp, proof: [UInt8]? = nil) -> TimestampFault? {
    let receipt = Receipt(p1: p5a, p5a: p5a, description: nil, proof: proof)
    do throws(TimestampFault) {
      _ = try trustList([authority.entry()]).date(stamp, of: receipt)
      return nil
    } catch { return error }
  }

  @Test("a timestamp over the commit dates the receipt, and one over something else does not")
  func commit() throws {
    let hashes = [Hash(of: p5a), Hash(of: [1])]
    let token = try authority.token(EvidenceTimestamp.imprint(of: hashes))
    #expect(why(EvidenceTimestamp(token: token, over: hashes)) == nil)
    let other = try authority.token(Hash(of: [1]))
    #expect(
      why(EvidenceTimestamp(token: other, over: [Hash(of: [1])]))
        == .unproven("it is not about this receipt"))
    // The hash is named, but the token is over another.
    #expect(why(EvidenceTimestamp(token: other, over: [Hash(of: p5a)])) != nil)
    let stranger = try TestAuthority().token(Hash(of: p5a))
    #expect(why(EvidenceTimestamp(token: stranger, over: [Hash(of: p5a)])) != nil)
  }

  @Test("a timestamp over the log's checkpoint dates a receipt whose proof is under it")
  func checkpoint() throws {
    let shown = try note(leaf.hash)
    let proof = TlogProof.text(index: 0, path: [], checkpoint: shown)
    func stamp(_ note: [UInt8]) throws -> EvidenceTimestamp {
      EvidenceTimestamp(token: try authority.token(Hash(of: note)), checkpoint: note)
    }
    #expect(why(try stamp(shown), proof: proof) == nil)
    #expect(why(try stamp(shown), proof: try TlogProof.packed(proof)) == nil)
    #expect(why(try stamp(shown)) != nil)
    let (other, strange) = (try note(Hash(of: [7])), try note(leaf.hash, key: 3))
    #expect(why(try stamp(other), proof: proof) != nil)
    #expect(why(try stamp(strange), proof: proof) != nil)
    let elsewhere = TlogProof.text(index: 0, path: [], checkpoint: other)
    #expect(why(try stamp(other), proof: elsewhere) != nil)
  }
}
