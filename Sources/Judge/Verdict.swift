// What a judge says: for each dispute that the evidence speaks to, who is at fault, by which rule, from which
// facts, and what would change it (docs/JUDGE.md).

public import Messages

/// How a dispute is decided.
public enum Finding: String, CaseIterable, Sendable {
  /// A party is at fault.
  case convicted
  /// The customer's claim does not stand; nobody is at fault.
  case claimFails = "claim-fails"
  /// What is shown explains everything; nobody is at fault.
  case noFault = "no-fault"
  /// The evidence is not enough. Nobody is at fault by it.
  case undecided

  /// True when no more evidence is needed.
  public var isDecided: Bool { self != .undecided }
}

/// A party that is at fault.
public struct Culprit: Hashable, Sendable {
  public let role: Role
  public let key: PublicKey
  /// As the trust list names it.
  public let name: String
}

/// What a verdict is about: a transaction, a lock, or a token.
public struct Subject: Hashable, Sendable {
  public var merchant: PublicKey?
  public var n: TransactionID?
  /// L.
  public var lock: Hash?
  /// A token's id.
  public var token: Hash?

  init(merchant: PublicKey? = nil, n: TransactionID? = nil, lock: Hash? = nil, token: Hash? = nil) {
    (self.merchant, self.n, self.lock, self.token) = (merchant, n, lock, token)
  }
}

/// Something that the judge found, and the message that shows it.
public struct Fact: Hashable, Sendable {
  /// A sentence for a person.
  public let text: String
  /// The time that it speaks of, if it speaks of one.
  public let at: Timestamp?
  /// H of the message that shows it; nil for what no single message shows.
  public let message: Hash?

  init(_ text: String, at: Timestamp? = nil, _ message: Hash? = nil) {
    (self.text, self.at, self.message) = (text, at, message)
  }
}

/// One dispute, decided or not.
public struct Verdict: Equatable, Sendable {
  public let dispute: Dispute
  public let finding: Finding
  /// Whom it is against; nil unless convicted.
  public let against: Culprit?
  public let subject: Subject
  public let facts: [Fact]
  /// Further evidence that would change it; empty when nothing can.
  public let wouldChange: [String]
}

/// Something handed in that does not count, and why.
public struct SetAside: Hashable, Sendable {
  /// The message's label or the file's name.
  public let what: String
  /// H of the message; nil for a file that is none.
  public let message: Hash?
  public let reason: String
}

/// All that a judge says about one set of evidence. The same set, in any order, gives the same judgment.
public struct Judgment: Equatable, Sendable {
  public let verdicts: [Verdict]
  public let setAside: [SetAside]
  /// By when messages existed, as timestamp authorities say: for whoever reads the verdicts. Nobody is at
  /// fault by these.
  public let dated: [Fact]

  /// Whether somebody is at fault.
  public var convicts: Bool { verdicts.contains { $0.finding == .convicted } }
  /// Whether at least one dispute is decided.
  public var decides: Bool { verdicts.contains { $0.finding.isDecided } }
}

/// The disputes, each with the rule that decides it.
public enum Dispute: String, CaseIterable, Sendable {
  case badGoods = "bad-goods"
  case notCredited = "not-credited"
  case valueTaken = "value-taken"
  case deliveredThis = "delivered-this"
  case bothOutcomes = "both-outcomes"
  case neitherOutcome = "neither-outcome"
  case keyLeaked = "key-leaked"
  case numberReused = "number-reused"
  case lockedTwice = "locked-twice"
  case spentBeyondValue = "spent-beyond-value"
  case refusedWrongly = "refused-wrongly"
  case recordDenied = "record-denied"
  case refundWithheld = "refund-withheld"
  case approvedUnendorsed = "approved-unendorsed"
  case approvedTwice = "approved-twice"
  case claimWithheld = "claim-withheld"
  case claimedBeyondValue = "claimed-beyond-value"
  case historyRewritten = "history-rewritten"
  case abortedEarly = "aborted-early"
  case parcel

  /// A headline for people.
  public var title: String {
    switch self {
    case .badGoods: "the goods differ from the contract or do not decrypt"
    case .notCredited: "the value was not credited"
    case .valueTaken: "value was taken without delivery"
    case .deliveredThis: "exactly this was delivered"
    case .bothOutcomes: "both commit and abort, or two different commits, were published"
    case .neitherOutcome: "neither commit nor abort was published"
    case .keyLeaked: "the key left the archive without a commit"
    case .numberReused: "a transaction's number was used twice"
    case .lockedTwice: "one transaction was locked twice"
    case .spentBeyondValue: "more of a token was locked or spent than it is worth, without an abort between"
    case .refusedWrongly: "the bank refused wrongly"
    case .recordDenied: "the archive denied what it had published"
    case .refundWithheld: "a refund was agreed to and not made"
    case .approvedUnendorsed: "a token was given away without its key's word"
    case .approvedTwice: "the archive gave one token away twice"
    case .claimWithheld: "a token's issuer does not owe what was spent of it"
    case .claimedBeyondValue: "more of a token was claimed from its issuer than it is worth"
    case .historyRewritten: "the archive's log says two things that cannot both be"
    case .abortedEarly: "the archive aborted before the expiration, without the merchant's Cancel"
    case .parcel: "a parcel was handed over to somebody else, or denied although due"
    }
  }

  /// The rule, in a sentence.
  public var rule: String {
    switch self {
    case .badGoods:
      "The commit is of this contract, and a chunk under the contract's root does not open with the key that"
        + " the merchant signed, or the plaintext is not among the contract's digests: against the merchant."
    case .notCredited:
      "The lock and its commit are there, or the archive's approval with its token, and the bank, heard,"
        + " shows no credit of it: against the bank. With the archive's abort of the same lock: against the"
        + " archive."
    case .valueTaken:
      "The token's own key demands its value, and the bank, heard, does not account for it by authorizations"
        + " of that key with their locks, by exchanges, or as available: against the bank."
    case .deliveredThis:
      "The contract, the lock, the commit and the customer's acknowledgement name one another: the claim that"
        + " something else was delivered fails."
    case .bothOutcomes:
      "One archive signed a commit and an abort of one lock, or different commits of one transaction, or that"
        + " an invoice took a token and that it never did: against whoever signed both."
    case .neitherOutcome:
      "A quorum of witnesses certifies no answer to a valid submission in time, or to an abort request from"
        + " the expiration on, and the archive, heard, shows no outcome: against the archive."
    case .keyLeaked:
      "A quorum of witnesses certifies no answer to a valid submission in time, and there is no commit:"
        + " against the archive. A key in use proves nothing, since the merchant can give it away."
    case .numberReused:
      "One merchant signed two contracts, or two descriptions of one ciphertext, with the same number and"
        + " different content: against the merchant."
    case .lockedTwice:
      "One bank signed two locks of one transaction with different content: against the bank."
    case .spentBeyondValue:
      "The bank's locks and exchanges use more of a token than it is worth, no abort shown frees enough of"
        + " it, and the bank, heard, shows none: against the bank. Who signed authorizations is only refused."
    case .refusedWrongly:
      "The bank refused an authorization for a reason that its proof does not show: against the bank."
    case .recordDenied:
      "One archive signed that a transaction is open, at a time after its own commit of it: against the"
        + " archive."
    case .refundWithheld:
      "The merchant agreed to what the customer asked for under the lock's P, no more than was paid, and the"
        + " bank, heard, shows neither the refund nor a refusal: against the bank."
    case .approvedUnendorsed:
      "The archive approved a token for a merchant, or the bank recorded one for a passive archive, and,"
        + " heard, shows no endorsement of an invoice of that merchant by the token's key: against the one"
        + " that signed it."
    case .approvedTwice:
      "One archive signed two approvals of one token, and no complaint reversed the first: against"
        + " the archive."
    case .claimWithheld:
      "The bank where a token is usable claims, by its owner's authorization, what its issuer signed blindly,"
        + " no more than the token's value, and the issuer, heard, does not grant it: against the issuer."
    case .claimedBeyondValue:
      "One bank signed claims of more of a token, by different authorizations, than it is worth: against the"
        + " bank."
    case .historyRewritten:
      "The archive's key signed checkpoints of one log under which stand two trees of one size, two entries"
        + " of one place, two outcomes of one lock, two commits of one transaction, a later entry that is"
        + " older,"
        + " or one older than what witnesses saw without it: against the archive."
    case .abortedEarly:
      "An abort says that it was made before the expiration, and holds no Cancel by the merchant: against the"
        + " archive."
    case .parcel:
      "Handed over with the D2 of a key that the contract lets collect: the customer's claim fails. Two final"
        + " records, one without the customer's word, or none of a parcel that arrived and is due: against"
        + " the kiosk. Paid and never arrived, and the merchant, heard, shows no arrival: against the"
        + " merchant."
    }
  }

  /// Where the rule stands.
  public var section: String {
    let place = Self.allCases.firstIndex(of: self)! + 1
    return "docs/JUDGE.md, rule \(place)"
  }
}
