// Which key list may follow which: a bank that shows each customer keys of his own is found out.

import Messages
import Testing

@testable import Services

@Suite("Key lists in a row")
struct KeyListTests {
  private func list(
    _ sequence: UInt64, previous: Hash? = nil, fee: UInt64 = 0, by seedByte: UInt8 = 1
  ) throws -> Verified<KeyList> {
    var seed = [UInt8](repeating: seedByte, count: 32)
    let key = SigningKey(seed: &seed)
    let denomination = Denomination(
      value: Money("EUR:1")!, id: Hash(of: [1]), modulus: [UInt8](repeating: 0xc1, count: 256),
      issueFrom: 1, issueUntil: 2, spendUntil: 3)
    return try Verified(
      signing: KeyList(
        at: 1, sequence: sequence, previous: previous, keys: [denomination], exchangeFee: fee), with: key)
  }

  @Test("the same list again, and the next one that names it, follow")
  func good() throws {
    let first = try list(0)
    #expect(first.follows(first))
    #expect(try list(1, previous: first.hash).follows(first))
    #expect(try list(5, previous: Hash(of: [9])).follows(first), "lists in between may be missing")
  }

  @Test("another list of the same number, an older one, another chain, another bank do not")
  func bad() throws {
    let first = try list(3)
    #expect(try !list(3, fee: 1).follows(first))
    #expect(try !list(2).follows(first))
    #expect(try !list(4).follows(first))
    #expect(try !list(4, previous: Hash(of: [9])).follows(first))
    #expect(try !list(4, previous: first.hash, by: 2).follows(first))
  }
}
