// Customer and merchant of a compact sale in every state and with every event, and attack 10.

import Messages
import Parties
import Testing

/// What can happen to a compact purchase.
enum CompactCustomerEvent: String, CaseIterable, Sendable {
  case offer, otherOffer, ciphertext, abandon, authorise, ack, otherAck, refusal, commit, abort, foreign,
    opened

  func happen(to rig: CompactCustomerRig) throws -> [String] {
    let deal = CompactDeal()
    switch self {
    case .offer: return try rig.offered(deal.p1())
    case .otherOffer: return try rig.offered(deal.p1 { $0.contract.price = Money("EUR:1")! })
    case .ciphertext: return try rig.run { $0.ciphertextChecked(root: Sale.root, length: Sale.length) }
    case .abandon: return try rig.run { $0.abandoned() }
    case .authorise:
      let jb2 = try deal.jb2()
      return try rig.run { $0.authorised(jb2) }
    case .ack: return try rig.locked(deal.ack())
    case .otherAck: return try rig.locked(deal.ack(deal.jb2 { $0.terms.lifetime += 1 }))
    case .refusal:
      let refusal = try deal.refusal(of: deal.jb2().hash)
      return try rig.run { $0.refusedByBank(refusal) }
    case .commit:
      let outcome = try deal.commit()
      return try rig.run { $0.decided(outcome) }
    case .abort:
      let outcome = try deal.abort()
      return try rig.run { $0.decided(outcome) }
    case .foreign:
      let outcome = try deal.commit(by: .otherBank)
      return try rig.run { $0.decided(outcome) }
    case .opened: return try rig.run { $0.opened() }
    }
  }
}

@Suite("Compact: the customer")
struct CompactCustomerTests {
  typealias Expectation = [CompactCustomerEvent: (effects: [String], phase: PurchasePhase)]

  private static let paid = ["keep JB4a", "enter paid", "spent [1000, 234]"]
  private static let aborted = ["keep JB4b", "enter aborted", "freed [1000, 234]"]
  private static let refused = ["keep Refusal", "enter refused", "freed [1000, 234]"]
  private static let acknowledged = ["keep JB2ack", "enter locked"]
  private static let badAck = ["keep Evidence", "deny mismatch"]

  /// What follows, by phase and event; where nothing stands, the event is denied or ignored, see `otherwise`.
  private static let expected: [PurchasePhase: Expectation] = [
    .requested: [
      .offer: (["keep P1", "enter offered"], .offered),
      .otherOffer: (["keep P1", "enter abandoned", "deny wrongValue"], .abandoned),
      .abandon: (["enter abandoned"], .abandoned),
    ],
    .offered: [
      .offer: ([], .offered), .ciphertext: (["enter checked"], .checked),
      .abandon: (["enter abandoned"], .abandoned),
    ],
    .checked: [
      .offer: ([], .checked), .abandon: (["enter abandoned"], .abandoned),
      .authorise: (["keep JB2", "enter authorised", "send P2 to bank"], .authorised),
    ],
    .authorised: [
      .offer: ([], .authorised), .ack: (acknowledged, .locked), .otherAck: (badAck, .authorised),
      .refusal: (refused, .refused), .commit: (paid, .paid), .abort: (aborted, .aborted),
      .foreign: (["deny mismatch"], .authorised),
    ],
    .locked: [
      .offer: ([], .locked), .refusal: (badAck, .locked), .commit: (paid, .paid),
      .abort: (aborted, .aborted), .foreign: (["deny mismatch"], .locked),
    ],
    .paid: [
      .offer: ([], .paid), .refusal: (badAck, .paid), .commit: ([], .paid),
      .abort: (["keep Evidence"], .paid), .foreign: ([], .paid), .opened: (["enter delivered"], .delivered),
    ],
    .delivered: [
      .offer: ([], .delivered), .refusal: (badAck, .delivered), .commit: ([], .delivered),
      .abort: (["keep Evidence"], .delivered), .foreign: ([], .delivered),
      .opened: (["enter delivered"], .delivered),
    ],
    .aborted: [.commit: (["keep Evidence"], .aborted), .abort: ([], .aborted), .foreign: ([], .aborted)],
    .refused: [:], .abandoned: [:],
  ]

  /// What an event comes to where it has no place.
  private static func otherwise(_ event: CompactCustomerEvent) -> [String] {
    switch event {
    case .offer, .otherOffer: ["deny nReused"]
    case .ciphertext, .ack, .otherAck: []
    case .abandon: ["deny tooLate"]
    case .authorise, .refusal, .opened: ["deny mismatch"]
    case .commit, .abort, .foreign: ["deny unknownTransaction"]
    }
  }

  private func rig(in phase: PurchasePhase, _ deal: CompactDeal = CompactDeal()) throws -> CompactCustomerRig
  {
    let rig = try CompactCustomerRig(deal)
    let path: [CompactCustomerEvent] =
      switch phase {
      case .requested: []
      case .offered: [.offer]
      case .checked: [.offer, .ciphertext]
      case .authorised: [.offer, .ciphertext, .authorise]
      case .locked: [.offer, .ciphertext, .authorise, .ack]
      case .paid: [.offer, .ciphertext, .authorise, .ack, .commit]
      case .delivered: [.offer, .ciphertext, .authorise, .commit, .opened]
      case .aborted: [.offer, .ciphertext, .authorise, .abort]
      case .refused: [.offer, .ciphertext, .authorise, .refusal]
      case .abandoned: [.abandon]
      case .announced, .registering: preconditionFailure("no phase of a purchase under a contract")
      }
    for event in path { _ = try event.happen(to: rig) }
    #expect(rig.machine.phase == phase)
    return rig
  }

  @Test(
    "each event has its one effect in each phase, also after a restart",
    arguments: CompactCustomerEvent.allCases)
  func everyEvent(event: CompactCustomerEvent) throws {
    for phase in (1...10).compactMap(PurchasePhase.init(rawValue:)) {
      let rig = try rig(in: phase)
      let expected = Self.expected[phase]?[event] ?? (Self.otherwise(event), phase)
      #expect(try event.happen(to: rig) == expected.effects, "\(event) when \(phase)")
      #expect(rig.machine.phase == expected.phase, "\(event) when \(phase)")
    }
  }

  @Test("paid gives k; two-sided, S_p(P1) goes out once the tokens are locked")
  func keys() throws {
    #expect(try rig(in: .paid).machine.goodsKey == Sale.k)
    #expect(try rig(in: .locked).machine.goodsKey == nil)
    let two = CompactDeal(twoSided: true)
    let rig = try CompactCustomerRig(two)
    try rig.offered(two.p1())
    try rig.run { $0.ciphertextChecked(root: Sale.root, length: Sale.length) }
    let jb2 = try two.jb2()
    try rig.run { $0.authorised(jb2) }
    #expect(
      try rig.locked(two.ack()) == [
        "keep JB2ack", "enter locked", "keep S_p(P1)", "send S_p(P1) to merchant",
      ])
    #expect(rig.kept[.acknowledgement] == (try two.note().bytes))
  }

  @Test("JB2 has the contract's price and expiration, whatever is wished (attack 10)")
  func fixedTerms() throws {
    let machine = try rig(in: .checked).machine
    let bank = Actor.bank.publicKey
    let jb2 = try machine.authorization(
      tokens: Tokens.inputs, bank: bank, archive: bank, expiration: Times.expiration - 60)
    #expect(try jb2 == CompactDeal().jb2().payload)
    for (bank, archive) in [(Actor.otherBank, Actor.bank), (.bank, .archive)] {
      #expect(throws: Denial.self) {
        try machine.authorization(
          tokens: Tokens.inputs, bank: bank.publicKey, archive: archive.publicKey, expiration: 0)
      }
    }
  }

  @Test("an outcome with one fault is not the purchase's")
  func mismatches() throws {
    let deal = CompactDeal()
    let faults: [(String, CompactOutcome)] = [
      ("another authorization", try deal.commit(nil, deal.jb2 { $0.terms.lifetime += 1 })),
      ("another value", try deal.commit(deal.jb3 { $0.value = Money("EUR:99")! })),
      ("another key", try deal.commit(deal.jb3 { $0.key = filled(1) })),
      ("another contract", try deal.commit(deal.jb3 { $0.hP1 = digest(1) })),
      ("by a stranger", try deal.commit(deal.jb3(by: .stranger))),
      ("late", try deal.commit(at: Times.expiration)), ("lifetime", try deal.commit(lifetime: 5)),
      ("early abort", try deal.abort(at: Times.expiration - 1)),
      ("abort by another", try deal.abort(by: .otherBank)),
      ("abort of another", try deal.abort { $0.hJB2 = digest(1) }),
      ("abort of another n", try deal.abort { $0.n = TransactionID(filled(1, 16))! }),
      ("abort, expiration", try deal.abort { $0.expiration -= 1 }),
    ]
    for (name, outcome) in faults {
      let rig = try rig(in: .locked)
      #expect(try rig.run { $0.decided(outcome) } == ["deny mismatch"], "\(name)")
    }
  }

  @Test("outcomes are read with the bank's place in the trust list and the merchant's signature inside")
  func reading() throws {
    let deal = CompactDeal()
    for outcome in [try deal.commit(), try deal.abort()] {
      #expect(try CompactOutcome(outcome.bytes, trust: trustList()) == outcome)
      #expect(try CompactOutcome(stored: outcome.bytes) == outcome)
      #expect(throws: MessageError.self) {
        try CompactOutcome(outcome.bytes, trust: trustList { $0.change(.bank) { $0.revokedAt = 1 } })
      }
      #expect(try outcome.transaction().n == Sale.n)
    }
    #expect(throws: MessageError.self) {
      try CompactOutcome(deal.commit(deal.jb3(by: .stranger)).bytes, trust: trustList())
    }
  }
}

/// What can happen to a compact sale.
enum CompactSaleEvent: String, CaseIterable, Sendable {
  case note, strangersNote, commit, abort, foreign, refusal, credit, decline, complaint, giveUp, due, late

  func happen(to rig: CompactMerchantRig, _ deal: CompactDeal) throws -> [String] {
    let policy = rig.policy
    switch self {
    case .note, .strangersNote:
      let note = try deal.note(by: self == .note ? .pseudonym : .stranger)
      return try rig.run { try $0.acknowledged(note, policy: policy, at: Times.now + 10, key: $1) }
    case .commit, .abort, .foreign:
      let outcome =
        switch self {
        case .commit: try deal.commit(deal.jb3(), deal.jb2())
        case .abort: try deal.abort()
        default: try deal.commit(deal.jb3 { $0.value = Money("EUR:1")! })
        }
      return try rig.run { machine, _ in machine.decided(outcome) }
    case .refusal:
      let refusal = try deal.refusal(of: deal.jb3().hash)
      return try rig.run { machine, _ in machine.refusedByBank(refusal) }
    case .credit:
      let credit = try deal.credit()
      return try rig.run { machine, _ in machine.credited(credit) }
    case .decline, .complaint:
      let nak = try deal.nak(decline: self == .decline)
      return try rig.run { machine, _ in machine.complained(nak) }
    case .giveUp: return try rig.run { machine, _ in machine.givenUp() }
    case .due: return try rig.run { machine, _ in machine.due(at: Times.now + 100) }
    case .late: return try rig.run { machine, _ in machine.due(at: Times.expiration) }
    }
  }
}

@Suite("Compact: the merchant")
struct CompactSaleTests {
  typealias Expectation = [CompactSaleEvent: (effects: [String], phase: SalePhase)]

  private static let two = CompactDeal(twoSided: true)
  private static let submit = ["keep JB3", "enter submitted", "submit JB3"]

  private static let expected: [SalePhase: Expectation] = [
    .offered: [
      .note: (["keep S_p(P1)"] + submit, .submitted), .decline: (["keep NAK", "enter declined"], .declined),
      .giveUp: (["enter declined"], .declined),
    ],
    .submitted: [
      .commit: (["keep JB4a", "enter committed"], .committed),
      .abort: (["keep JB4b", "enter aborted"], .aborted), .foreign: (["refuse mismatch"], .submitted),
      .refusal: (["keep Refusal", "enter aborted"], .aborted),
      .due: (["enter submitted"], .submitted), .late: (["ask again", "enter submitted"], .submitted),
      .decline: (["keep NAK", "refuse tooLate"], .submitted), .giveUp: (["refuse tooLate"], .submitted),
    ],
    .committed: [
      .commit: ([], .committed), .abort: (["keep Evidence"], .committed),
      .foreign: (["refuse mismatch"], .committed), .refusal: (["keep Evidence"], .committed),
      .credit: (["keep Credit", "enter credited"], .credited),
      .due: (["send JB4a to bank", "enter committed"], .committed),
      .late: (["send JB4a to bank", "enter committed"], .committed),
      .decline: (["keep NAK", "refuse tooLate"], .committed), .giveUp: (["refuse tooLate"], .committed),
    ],
    .credited: [
      .commit: ([], .credited), .abort: (["keep Evidence"], .credited),
      .foreign: (["refuse mismatch"], .credited), .refusal: (["keep Evidence"], .credited),
      .credit: ([], .credited), .decline: (["keep NAK", "refuse tooLate"], .credited),
      .giveUp: (["refuse tooLate"], .credited),
    ],
    .aborted: [
      .commit: (["keep Evidence"], .aborted), .abort: ([], .aborted),
      .foreign: (["refuse mismatch"], .aborted), .refusal: (["keep Evidence"], .aborted),
    ],
    .declined: [:],
  ]

  private static func otherwise(_ event: CompactSaleEvent) -> [String] {
    switch event {
    case .note: ["keep S_p(P1)"]
    case .strangersNote, .refusal, .credit: ["refuse mismatch"]
    case .commit, .abort, .foreign: ["refuse unknownTransaction"]
    case .decline, .complaint: ["keep NAK"]
    case .giveUp, .due, .late: []
    }
  }

  private func rig(in phase: SalePhase) throws -> CompactMerchantRig {
    let rig = try CompactMerchantRig(Self.two)
    let path: [CompactSaleEvent] =
      switch phase {
      case .submitted: [.note]
      case .committed: [.note, .commit]
      case .credited: [.note, .commit, .credit]
      case .aborted: [.note, .abort]
      case .declined: [.decline]
      case .offered, .authorised, .forcing, .cancelling, .claiming: []
      }
    for event in path { _ = try event.happen(to: rig, Self.two) }
    #expect(rig.machine.phase == phase)
    return rig
  }

  @Test(
    "each event has its one effect in each phase, also after a restart", arguments: CompactSaleEvent.allCases)
  func everyEvent(event: CompactSaleEvent) throws {
    for phase in [SalePhase.offered, .submitted, .committed, .credited, .aborted, .declined] {
      let rig = try rig(in: phase)
      let expected = Self.expected[phase]?[event] ?? (Self.otherwise(event), phase)
      #expect(try event.happen(to: rig, Self.two) == expected.effects, "\(event) when \(phase)")
      #expect(rig.machine.phase == expected.phase, "\(event) when \(phase)")
    }
  }

  @Test("one-sided, JB3 goes out with the offer; it says what the contract fixes and holds k")
  func atOnce() throws {
    let rig = try CompactMerchantRig()
    #expect(rig.effects.map(\.summary) == ["keep P1", "enter offered"] + Self.submit)
    let jb3 = try Verified<JB3>(stored: #require(rig.kept[Label(.jb3)]))
    #expect(try jb3 == CompactDeal().jb3())
    #expect(rig.machine.status.proof.isEmpty, "k is shown to nobody")
    let two = try CompactMerchantRig(Self.two)
    #expect(two.effects.map(\.summary) == ["keep P1", "enter offered"], "two-sided, it waits for S_p(P1)")
  }

  @Test("with too little time left, S_p(P1) ends the sale and k stays")
  func tooLate() throws {
    let rig = try rig(in: .offered)
    let note = try Self.two.note()
    let now = Times.expiration - 29
    let effects = try rig.run { [policy = rig.policy] in
      try $0.acknowledged(note, policy: policy, at: now, key: $1)
    }
    #expect(effects == ["keep S_p(P1)", "enter declined", "refuse tooLate"])
  }

  @Test("an outcome with one fault is not the sale's; the lifetime of a JB2 that it never saw is none")
  func mismatches() throws {
    let two = Self.two
    let faults: [(String, CompactOutcome)] = [
      ("another value", try two.commit(two.jb3 { $0.value = Money("EUR:99")! })),
      ("by another bank", try two.commit(by: .otherBank)), ("late", try two.commit(at: Times.expiration)),
      ("early abort", try two.abort(at: Times.expiration - 1)),
      ("abort of another n", try two.abort { $0.n = TransactionID(filled(1, 16))! }),
      ("abort, expiration", try two.abort { $0.expiration -= 1 }),
    ]
    for (name, outcome) in faults {
      let rig = try rig(in: .submitted)
      #expect(try rig.run { machine, _ in machine.decided(outcome) } == ["refuse mismatch"], "\(name)")
    }
    let longer = try two.commit(lifetime: Times.lifetime + 9)
    #expect(
      try rig(in: .submitted).run { machine, _ in machine.decided(longer) } == [
        "keep JB4a", "enter committed",
      ])
  }

  @Test("a credit of another amount, lock or bank is none")
  func credits() throws {
    let rig = try rig(in: .committed)
    for credit in [
      try Self.two.credit { $0.amount = Money("EUR:1")! }, try Self.two.credit { $0.lock = digest(1) },
      try Self.two.credit({ _ in }, by: .otherBank),
    ] { #expect(try rig.run { machine, _ in machine.credited(credit) } == ["refuse mismatch"]) }
  }
}

@Suite("Attack 10: compact")
struct CompactAttackTests {
  private let deal = CompactDeal()

  @Test("a customer who authorises a cent does not get the goods, though the merchant never sees JB2")
  func cheap() throws {
    let cent = try deal.jb2 {
      $0.terms.value = Money("EUR:0.01")!
      $0.tokenInputs = [TokenInput(token: Tokens.token(.tokenOne), amount: 1)]
    }
    let jb3 = try deal.jb3()
    let terms = cent.payload.terms
    let naive =
      jb3.payload.n == terms.n && jb3.payload.expiration == terms.expiration
      && Hash.keyCommitment(.compact, merchant: jb3.signer, n: terms.n, key: jb3.payload.key) == terms.hx
    #expect(naive, "by FIG. 7's own fields the bank would publish k for a cent")
    let bank = PairingRig()
    try bank.authorised(cent)
    #expect(try bank.submitted(jb3) == ["refuse wrongValue"])
    // The same with the price as the contract fixes it.
    let other = PairingRig()
    try other.authorised(deal.jb2())
    #expect(try other.submitted(jb3).last == "reply JB4a")
  }

  @Test("an expiration of the customer's own would never meet the merchant's; the contract fixes it")
  func expiration() throws {
    let own = try deal.jb2 { $0.terms.expiration -= 60 }
    #expect(own.payload.terms.expiration <= (try deal.p1()).payload.contract.expirationMax)
    let bank = PairingRig()
    try bank.authorised(own)
    #expect(try bank.submitted(deal.jb3()) == ["refuse mismatch"], "what the merchant could not have guessed")
  }

  @Test("a bank that says that no authorization came contradicts its own JB2ack")
  func denial() throws {
    let honest = PairingRig()
    try honest.authorised(deal.jb2())
    let ack = try Verified<JB2ack>(stored: #require(honest.kept[Label(.jb2ack)]))
    #expect(try ack.payload.hJB2 == deal.jb2().hash)
    #expect(try honest.submitted(deal.jb3(), at: Times.expiration).last == "reply JB4b")
    let other = PairingRig()
    #expect(try other.submitted(deal.jb3(), at: Times.expiration).last == "refuse unknownTransaction")
    #expect(try other.authorised(deal.jb2()) == ["refuse expired"], "having said so, it acknowledges none")
  }
}
