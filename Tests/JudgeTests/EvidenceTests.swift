// What a judge takes in: any order, bounded sizes and counts, and a word on what does not count.

import Judge
import Messages
import Testing

@Suite("Evidence")
struct EvidenceTests {
  private let sale = Sale()

  @Test("what is no message, container, token, proof or seed is not taken as one")
  func unknown() throws {
    var evidence = Evidence()
    for bytes in [[], [0x00], filled(1, 31), filled(1, 33), Array("a letter".utf8), Ware.sealed] {
      #expect(try !evidence.add(bytes, name: "file"), "\(bytes.count) bytes")
    }
    #expect(Judge(trust: trustList(), now: Times.hearing).decide(evidence).verdicts.isEmpty)
  }

  @Test("files, messages and bytes are bounded")
  func limits() throws {
    var files = Evidence()
    for number in 0..<Evidence.filesMax { _ = try files.add(filled(UInt8(number)), name: "seed") }
    #expect(throws: EvidenceError.tooManyFiles) { try files.add(filled(9), name: "seed") }
    #expect(throws: EvidenceError.tooManyFiles) { try files.add(goods: MemoryGoods(bytes: [])) }
    var bytes = Evidence()
    // Bundles of the same long message: few messages, many bytes.
    let long = try Actor.merchant.sign(
      Offers(
        at: Times.now,
        offers: (0..<25).map {
          Offer(
            price: Sale.price, id: Nonce(filled(UInt8($0), 16))!,
            description: String(repeating: "x", count: 2000), name: "", length: 0, twoSided: false)
        })
    ).bytes
    let bundle = try Bundle([[UInt8]](repeating: long, count: 1000)).encoded()
    #expect(try bytes.add(bundle, name: "bundle"))
    #expect(throws: EvidenceError.tooManyBytes) { try bytes.add(bundle, name: "bundle") }
    var messages = Evidence()
    let small = (0..<1024).map { (filled(0, 60), $0) }
    #expect(throws: EvidenceError.tooManyMessages) {
      for round in UInt8(0)..<9 {
        // Not one of them is a message: each counts all the same.
        let strings = small.map { $0.0 + [round, UInt8($0.1 >> 8), UInt8($0.1 & 0xff), 1] }
        _ = try messages.add(Bundle(strings).encoded(), name: "bundle")
      }
    }
  }

  @Test("a message inside another is evidence like any other")
  func nested() throws {
    let refusal = try Actor.bank.sign(
      Refusal(
        at: Times.now, reason: .mismatch, hRequest: digest(1),
        proof: [sale.p5a().bytes, sale.p5b().bytes], detail: nil))
    let outer = try Actor.archive.sign(
      Refusal(at: Times.now, reason: .mismatch, hRequest: digest(1), proof: [refusal.bytes], detail: nil))
    try expectConviction(Exhibits([outer.bytes]), .bothOutcomes, .archive)
  }

  @Test("what does not count is named, with the reason")
  func setAside() throws {
    let trust = trustList {
      $0.change(.bank) { entry in entry.revokedAt = Times.now }
      $0.remove(.archive)
      $0.change(.merchant) { entry in entry.until = Times.now }
    }
    var broken = try sale.credit().bytes
    broken[broken.count - 1] ^= 1
    let files = [
      try sale.p1().bytes, try sale.p3().bytes, try sale.p5a().bytes, broken,
      try sale.p2(by: .tokenOne).bytes,
    ]
    let aside = try Exhibits(files, trust: trust).judged().setAside
    let reasons = Dictionary(aside.map { ($0.what, $0.reason) }, uniquingKeysWith: { a, _ in a })
    #expect(reasons["P1"] == "expired")
    #expect(reasons["P3"] == "revoked")
    #expect(reasons["P5a"] == "untrusted")
    #expect(reasons["Credit"] == "revoked")
    #expect(reasons["P2"] == "untrusted")
    let damaged = try Exhibits([broken]).judged().setAside
    #expect(damaged.map(\.reason) == ["authentication"])
  }

  @Test("amounts beyond all bounds end no judgment")
  func overflow() throws {
    let token = Tokens.token(.tokenOne)
    let inputs = [TokenInput](
      repeating: TokenInput(token: token, amount: Money.amountMax), count: 32)
    var files = [try Tokens.keyList().bytes]
    for number in UInt8(1)...100 {
      let terms = try sale.terms { $0.n = TransactionID(filled(number, 16))! }
      files.append(
        try Actor.tokenOne.sign(P2(terms: terms, bank: Actor.bank.key, tokenInputs: inputs)).bytes)
    }
    let asked = try Unverified<P2>(files[1])
    let refusal = try Actor.bank.sign(
      Refusal(at: Times.now, reason: .spent, hRequest: asked.hash, proof: [files[2]], detail: nil))
    try expectAcquittal(Exhibits(files + [refusal.bytes], heard: [.bank]), "enormous amounts")
  }
}
