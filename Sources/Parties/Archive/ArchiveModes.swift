// What each mode asks for beside the submission and the lock (docs/SPEC.md, "Core", "Joint").

public import Messages

/// Core and joint: S_p(P1), which the merchant may log with its submission if the sale is two-sided.
public protocol LoggedAcknowledgement: ArchiveMode where Attachment == Verified<Acknowledgement>? {}

extension LoggedAcknowledgement {
  public static func attachment(
    _ rest: ArraySlice<[UInt8]>, beside lock: Verified<LockMessage>
  ) throws(MessageError) -> Verified<Acknowledgement>? {
    guard let first = rest.first else { return nil }
    guard rest.count == 1 else {
      throw MessageError(.malformed, "field-range", "\(Submission.type.label) bundle")
    }
    return try Verified(first, by: .key(lock.payload.terms.pseudonym))
  }

  public static func check(
    _ attachment: Verified<Acknowledgement>?, submission: Verified<Submission>, terms: LockTerms,
    holdsGoods: Bool
  ) -> Denial? {
    guard let acknowledgement = attachment?.payload else { return nil }
    guard acknowledgement.n == terms.n, acknowledgement.merchant == terms.merchant,
      acknowledgement.hP1 == terms.hP1
    else { return Denial(.mismatch, "S_p(P1) is for another contract") }
    return nil
  }

  public static func commit(
    _ submission: Verified<Submission>, _ attachment: Verified<Acknowledgement>?, terms: LockTerms,
    at now: Timestamp, key: borrowing SigningKey
  ) -> Commit<Self> {
    Commit(submission: submission.bytes, at: now, lifetime: terms.lifetime)
  }
}

extension CoreMode: LoggedAcknowledgement {}
extension JointMode: LoggedAcknowledgement {}

extension Denial {
  /// Forced, and the archive cannot vouch for the goods (attack 7).
  static var notHeld: Denial {
    Denial(.unacknowledged, "the customer has not acknowledged, and the goods are not all here")
  }
}
