// The judge (US 6,076,078: disputes are settled from the parties' messages). It reads signed messages, a
// trust list and the time, and nothing else: no clock, no network, no record but what is handed in.
//
// Invariants: nobody is convicted by what others could have made or hidden. Where a rule says that a party
// shows nothing, that party must have been heard: whoever runs the judge says so. The same evidence gives the
// same judgment in any order.

public import Messages

/// Decides disputes from messages alone.
public struct Judge: Sendable {
  private let trust: TrustList
  private let now: Timestamp
  private let heard: Set<PublicKey>
  private let tokenHolds: (@Sendable (Token, Denomination) -> Bool)?
  private let blindHolds: BlindCheck?
  private let stampHolds: StampCheck?

  /// Whether a signature is the one over a blinded message under its denomination's key.
  public typealias BlindCheck =
    @Sendable (_ signature: [UInt8], _ output: Blinded, _ key: Denomination) -> Bool

  /// When what a timestamp is over existed, if this entry's certificate signed it; nil if it did not.
  public typealias StampCheck =
    @Sendable (_ stamp: EvidenceTimestamp, _ authority: TrustEntry, _ skewSeconds: UInt64) -> StampDate?

  /// - Parameters:
  ///   - trust: whose keys count, and when.
  ///   - now: the time at which the dispute is heard. Silence counts against nobody who may have dropped its
  ///     records by then.
  ///   - heard: parties that were shown all that is here and asked for all that they have on the case.
  ///   - tokenHolds: whether a token's blind signature holds under its denomination's key; without it no
  ///     verdict rests on a token that only its owner shows.
  ///   - blindHolds: the same of what a bank signs blindly; without it any signature counts.
  ///   - stampHolds: reads timestamps; without it none counts.
  public init(
    trust: TrustList, now: Timestamp, heard: Set<PublicKey> = [],
    tokenHolds: (@Sendable (Token, Denomination) -> Bool)? = nil, blindHolds: BlindCheck? = nil,
    stampHolds: StampCheck? = nil
  ) {
    (self.trust, self.now, self.heard, self.tokenHolds) = (trust, now, heard, tokenHolds)
    (self.blindHolds, self.stampHolds) = (blindHolds, stampHolds)
  }

  /// Decides every dispute that the evidence speaks to.
  public func decide(_ evidence: Evidence) -> Judgment {
    let file = CaseFile(
      evidence, trust: trust, now: now, heard: heard, tokenHolds: tokenHolds, blindHolds: blindHolds,
      stampHolds: stampHolds)
    let goods = file.badGoods()
    let verdicts =
      goods.verdicts + file.notCredited() + file.valueTaken() + file.deliveredThis() + file.bothOutcomes()
      + file.nonResponse() + file.numberReused() + file.lockedTwice() + file.spentBeyondValue()
      + file.refusedWrongly() + file.recordDenied() + file.deniedAuthorization()
      + file.refundWithheld() + file.approvalsNotCredited() + file.takenAndDenied()
      + file.approvedUnendorsed() + file.approvedTwice() + file.claimsWithheld() + file.claimedBeyondValue()
      + file.historyRewritten() + file.abortedEarly() + file.parcels()
    return Judgment(
      verdicts: verdicts.sorted { Self.order($0).lexicographicallyPrecedes(Self.order($1)) },
      setAside: file.setAside.union(goods.setAside).sorted {
        ($0.what, $0.message?.description ?? "", $0.reason) < (
          $1.what, $1.message?.description ?? "", $1.reason
        )
      },
      dated: file.stamps.facts)
  }

  /// By dispute, then by subject and facts, whatever order the files came in.
  private static func order(_ verdict: Verdict) -> [UInt8] {
    let dispute = UInt8(Dispute.allCases.firstIndex(of: verdict.dispute)!)
    let subject = verdict.subject
    return [dispute] + (subject.merchant?.bytes ?? []) + (subject.n?.bytes ?? [])
      + (subject.lock?.bytes ?? []) + (subject.token?.bytes ?? [])
      + verdict.facts.flatMap { ($0.message?.bytes ?? []) + Array($0.text.utf8) }
  }
}

extension CaseFile {
  /// A conviction.
  func convict(
    _ dispute: Dispute, _ culprit: Culprit, _ subject: Subject, _ facts: [Fact], unless: [String] = []
  ) -> Verdict {
    Verdict(
      dispute: dispute, finding: .convicted, against: culprit, subject: subject, facts: facts,
      wouldChange: unless)
  }

  /// A verdict against nobody.
  func spare(
    _ dispute: Dispute, _ finding: Finding, _ subject: Subject, _ facts: [Fact], unless: [String] = []
  ) -> Verdict {
    Verdict(
      dispute: dispute, finding: finding, against: nil, subject: subject, facts: facts, wouldChange: unless)
  }

  /// Against a party that shows nothing, if it was heard while it had to have its records; otherwise
  /// undecided.
  func silence(
    _ dispute: Dispute, _ culprit: Culprit, until end: Timestamp, _ subject: Subject, _ facts: [Fact],
    unless: [String]
  ) -> Verdict {
    guard now < end else {
      let over = Fact("the time in which the \(culprit.role.name) has to keep its records is over", at: end)
      return spare(dispute, .undecided, subject, facts + [over], unless: unless)
    }
    guard heard.contains(culprit.key) else {
      let burden = "that the \(culprit.role.name) \(culprit.name) was heard and shows no more"
      return spare(dispute, .undecided, subject, facts, unless: unless + [burden])
    }
    let fact = Fact("the \(culprit.role.name) \(culprit.name) was heard and shows no more")
    return convict(dispute, culprit, subject, facts + [fact], unless: unless)
  }
}
