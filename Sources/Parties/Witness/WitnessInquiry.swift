// The witness's side of one request to an archive: it sends what it was asked to send, waits for as long as
// the archive may take, and certifies what came back (docs/SPEC.md, "Witness").
//
//             sends                 answer, or Δ over
//   asked ─────────────▶ waiting ─────────────────────▶ certified
//     ▲                     │                               │
//     ├─────────────────────┘ restart                       │
//     └─────────────────────────────────────────────────────┘ asked again, later
//
// Invariants: a certificate covers one stretch of time in which the witness sent and listened throughout, so
// after a restart the waiting begins anew; waited_until >= sent_at + Δ unless the archive answered; the same
// request soon after, on the same side of expiration and lifetime, is answered by the same certificate.

public import Messages

/// Where an inquiry stands. As stored: stable numbers.
public enum InquiryPhase: Int, Sendable {
  case asked = 1
  case waiting, certified
}

/// What a witness does after an event; all of it in one durable step.
public enum WitnessEffect: Equatable, Sendable {
  case keep(Label, [UInt8])
  case enter(InquiryPhase)
  /// Send the request, again and again until then; whatever comes back is an event.
  case deliver(until: Timestamp)
  case reply([UInt8])
}

/// The machine of one request.
public struct WitnessInquiry: Sendable {
  private enum State {
    case asked
    case waiting(sentAt: Timestamp)
    case certified(Verified<NonResponse>)
  }

  /// For how long the last certificate is the answer to the same request.
  public static let freshSeconds: UInt64 = 60

  private let inquiry: Inquiry
  private var state: State

  /// A request that was not asked before.
  public init(_ inquiry: Inquiry) { (self.inquiry, state) = (inquiry, .asked) }

  /// Takes the machine up again. What was sent before the restart is sent again: nobody listened meanwhile.
  public init(_ inquiry: Inquiry, phase: InquiryPhase, certificate: [UInt8]?) throws(MessageError) {
    self.inquiry = inquiry
    switch (phase, certificate) {
    case (.certified, .some(let bytes)): state = .certified(try Verified(stored: bytes))
    case (.certified, nil): throw MessageError(.misuse, "missing-field", "witness store: NR")
    case (.asked, _), (.waiting, _): state = .asked
    }
  }

  /// Where it stands.
  public var phase: InquiryPhase {
    switch state {
    case .asked: .asked
    case .waiting: .waiting
    case .certified: .certified
    }
  }

  // MARK: Events

  /// Somebody asks. `isLast`: no more certificates are made about this lock.
  public mutating func asked(at now: Timestamp, isLast: Bool) -> [WitnessEffect] {
    guard case .certified(let certificate) = state else { return [.enter(phase)] }
    let said = certificate.payload
    let isFresh = now < said.waitedUntil + Self.freshSeconds && part(at: said.sentAt) == part(at: now)
    if isFresh || isLast { return [.reply(certificate.bytes)] }
    state = .asked
    return [.enter(.asked)]
  }

  /// What the archive has to answer changes at the expiration, and at the lifetime's end.
  private func part(at time: Timestamp) -> Int {
    let terms = inquiry.lock.terms
    return time < terms.expiration ? 0 : time < terms.lifetime ? 1 : 2
  }

  /// The witness begins to send. It waits a second more than the archive may take: `now` is just before the
  /// first byte leaves, and both times are whole seconds.
  public mutating func begins(at now: Timestamp, trust: TrustList) -> [WitnessEffect] {
    guard case .asked = state else { return [] }
    state = .waiting(sentAt: now)
    return [.enter(.waiting), .deliver(until: now + trust.answerSeconds + 1)]
  }

  /// Something came back. What is no answer of the archive's changes nothing.
  public mutating func received(
    _ answer: [UInt8], at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [WitnessEffect] {
    guard case .waiting(let sentAt) = state, inquiry.isAnswered(by: answer) else { return [] }
    return try certify(answer, sentAt: sentAt, until: now, key: key)
  }

  /// The time is over.
  public mutating func over(
    at now: Timestamp, trust: TrustList, key: borrowing SigningKey
  ) throws(MessageError) -> [WitnessEffect] {
    guard case .waiting(let sentAt) = state, now >= sentAt + trust.answerSeconds else { return [] }
    return try certify(nil, sentAt: sentAt, until: now, key: key)
  }

  private mutating func certify(
    _ answer: [UInt8]?, sentAt: Timestamp, until now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [WitnessEffect] {
    let terms = inquiry.lock.terms
    let certificate = try Verified(
      signing: NonResponse(
        n: terms.n, merchant: terms.merchant, lock: inquiry.lock.name, hRequest: inquiry.name,
        target: terms.archive, sentAt: sentAt, waitedUntil: max(now, sentAt), answer: answer), with: key)
    state = .certified(certificate)
    return [.keep(.nonResponse, certificate.bytes), .enter(.certified), .reply(certificate.bytes)]
  }
}
