// The table as Swift sees it against the C table.

import Messages
import Testing

@Suite("The table of messages")
struct TableTests {
  @Test("every row of the C table has a Swift case, and no case is beyond it")
  func complete() {
    #expect(MessageType.allCases.count + 1 == MessageType.tableCount)
    #expect(MessageType.p1.name == "acd-p1")
    #expect(MessageType.offer.name == "offer")
    #expect(MessageType.p2.signers == [.token])
  }

  @Test("every row has a Swift value, and one only")
  func values() {
    #expect(Set(Codec.types) == Set(MessageType.allCases))
    #expect(Codec.types.count == MessageType.allCases.count)
  }

  @Test("names on the wire are unique")
  func unique() { #expect(Set(MessageType.allCases.map(\.name)).count == MessageType.allCases.count) }
}
