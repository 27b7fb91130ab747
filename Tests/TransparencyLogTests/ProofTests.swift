// Proofs as receipts carry them: made from tiles, verified by the C core under a policy.

import Messages
import Testing
import TransparencyLog

@Suite("Proofs under a policy")
struct ProofTests {
  private func policy(_ quorum: String) throws -> LogPolicy {
    let witnesses = try (0..<3).map {
      "witness w\($0) \(try noteKey(10 + UInt8($0), "w\($0).example", .cosigner).vkey)\n"
    }
    return try LogPolicy(
      "log \(try noteKey().vkey)\n" + witnesses.joined()
        + "group all-of-them \(quorum) w0 w1 w2\nquorum all-of-them\n")
  }

  /// A checkpoint with cosignatures by these witnesses, at 1000 and later.
  private func cosigned(_ head: LogHead, _ witnesses: Range<Int>) throws -> [UInt8] {
    let text = try head.checkpoint(origin).text()
    var note = try signed(head)
    for index in witnesses {
      let seed = 10 + UInt8(index)
      note += try signingKey(seed).noteLine(
        noteKey(seed, "w\(index).example", .cosigner), over: text, at: 1000 + UInt64(index))
    }
    return note
  }

  @Test("a leaf of an outcome is proved, as text and packed")
  func proved() throws {
    let leaf = LogLeaf(
      kind: .commit, at: 990,
      subject: LogLeaf.transaction(signingKey(5).publicKey, TransactionID([UInt8](repeating: 7, count: 16))!),
      lock: Hash(of: [1]), body: Hash(of: [2]))
    #expect(try LogLeaf(encoded: leaf.encoded) == leaf)
    var log = try writer(MemoryStorage(), isNew: true)
    try log.append((0..<1000).map { entry($0) } + [leaf.encoded] + (0..<500).map { entry($0) })
    let path = try log.tree.inclusion(of: 1000)
    let text = TlogProof.text(index: 1000, path: path, checkpoint: try cosigned(log.head, 0..<3))
    let packed = try TlogProof.packed(text)
    for proof in [text, packed] {
      let facts = try policy("2").verify(proof, of: leaf.hash)
      #expect(facts.index == 1000 && facts.size == 1501 && facts.root == log.head.root)
      #expect(facts.cosigned.reached == 1001 && facts.cosigned.fresh == 1001)
      #expect(throws: MessageError.self) { try policy("2").verify(proof, of: TreeHash.leaf(entry(1000))) }
    }
  }

  @Test("without a quorum there is no verdict")
  func noQuorum() throws {
    var log = try writer(MemoryStorage(), isNew: true)
    try log.append([entry(0), entry(1)])
    for count in 0...3 {
      let note = try cosigned(log.head, 0..<count)
      for quorum in 1...3 {
        let verdict = try? policy("\(quorum)").verify(note)
        #expect((verdict != nil) == (count >= quorum))
        #expect(verdict.map { $0.0 == log.head.checkpoint(origin) } ?? true)
      }
    }
  }

  @Test("policies say whose logs count, and are refused when they are none")
  func policies() throws {
    #expect(try policy("all").logs() == [noteKey()])
    #expect(throws: MessageError.self) { try LogPolicy("quorum w0\n") }
    #expect(throws: MessageError.self) { try LogPolicy("") }
    #expect(throws: MessageError.self) {
      try NoteKey(name: "a b", kind: .log, publicKey: signingKey(1).publicKey)
    }
    let key = try noteKey(3, "w.example", .cosigner)
    #expect(try NoteKey(vkey: key.vkey) == key)
  }
}
