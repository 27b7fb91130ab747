// Messages inside messages, and SHA-256 piece by piece.

import Messages
import Testing

@Suite("Nested messages")
struct NestedMessagesTests {
  @Test("a commit holds its submission, a bundle and a receipt their messages, P1 nothing")
  func nested() throws {
    let p1 = try sign(Samples.p1(Samples.contract), .merchant)
    let p4 = try sign(Samples.p4, .merchant)
    let p5a = try sign(P5a(submission: p4, at: Samples.time, lifetime: Samples.time), .archive)
    #expect(try MessageType.nestedMessages(in: p5a) == [p4])
    #expect(try MessageType.nestedMessages(in: p1).isEmpty)
    #expect(try MessageType.nestedMessages(in: Bundle([p1, p5a]).encoded()) == [p1, p5a])
    let receipt = try Receipt(p1: p1, p5a: p5a, description: nil).encoded()
    #expect(try MessageType.nestedMessages(in: receipt) == [p1, p5a])
    #expect(throws: MessageError.self) { try MessageType.nestedMessages(in: Array(p5a.dropLast())) }
    #expect(throws: MessageError.self) { try MessageType.nestedMessages(in: [0xa0]) }
  }

  private func sign<P: Payload>(_ payload: P, _ actor: Actor) throws -> [UInt8] {
    try actor.withKey { (key) throws(MessageError) in try Verified(signing: payload, with: key) }.bytes
  }
}

@Suite("Hash stream")
struct HashStreamTests {
  @Test("pieces of any size hash like the whole")
  func pieces() {
    let whole = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    for size in [1, 63, 64, 65, 1000] {
      var stream = HashStream()
      for start in stride(from: 0, to: whole.count, by: size) {
        stream.update(Array(whole[start..<min(start + size, whole.count)]))
      }
      #expect(stream.hash() == Hash(of: whole))
      #expect(stream.hash() == Hash(of: whole), "asking changes nothing")
    }
    #expect(HashStream().hash() == Hash(of: []))
  }
}
