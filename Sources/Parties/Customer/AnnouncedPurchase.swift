// The customer's side of an announced purchase (US 6,076,078, FIG. 3; docs/SPEC.md, "Announced").
//
//           PO ok       ciphertext = root       3 signed           3 published: sign 4        7
// requested ────▶ offered ────▶ checked ────▶ announced ────▶ authorised ────────────▶ locked ──▶ paid ──▶
// delivered
//     │             │              │             │ refused by A      │ refused by B       │ 9b   9a
//     └─────────────┴──────────────┘             │                   │                    ▼
//                abandoned                       └──▶ refused ◀──────┘                 aborted
//
// Invariants: message 3 is signed only once all of the ciphertext was checked, and message 4 only once 3 is
// published; nobody can lock t before 4 is out, so until then C ends the purchase by itself; after it, t is
// in use until the bank's signed refusal or the archive's record says otherwise, whatever the clock says.

public import Messages

/// The machine of one purchase.
public struct AnnouncedPurchase: Sendable {
  /// What the parties have agreed on once 3 is signed.
  private struct Deal {
    let order: Verified<PurchaseOrder>
    let announcement: Verified<Announcement>
    var terms: LockTerms { announcement.payload.terms(of: order) }
    var inputs: [TokenInput] { announcement.payload.inputs }
  }

  private enum State {
    case requested
    case offered(Verified<PurchaseOrder>)
    case checked(Verified<PurchaseOrder>)
    case announced(Deal)
    case authorised(Deal, Claim)
    case locked(Deal, Claim, Verified<A7>)
    case paid(Deal, Claim, Verified<A7>?, Verified<A9a>, opened: Bool)
    case aborted(Deal, Claim, Verified<A7>, Outcome<AnnouncedMode>)
    case refused
    case abandoned
  }

  /// What was asked for, and by which pseudonym.
  public let n1: Verified<N1>
  private var state: State

  /// A new purchase.
  public init(requesting n1: Verified<N1>) { (self.n1, state) = (n1, .requested) }

  public init(phase: PurchasePhase, messages: [Label: [UInt8]]) throws(MessageError) {
    func deal() throws(MessageError) -> Deal {
      Deal(order: try messages.stored(), announcement: try messages.stored())
    }
    func claim(_ deal: Deal) throws(MessageError) -> Claim {
      Claim(
        published: try messages.stored(), announcement: deal.announcement, consent: try messages.stored(),
        order: deal.order)
    }
    n1 = try messages.stored()
    switch phase {
    case .requested: state = .requested
    case .offered: state = .offered(try messages.stored())
    case .checked: state = .checked(try messages.stored())
    case .announced: state = .announced(try deal())
    case .authorised:
      let deal = try deal()
      state = .authorised(deal, try claim(deal))
    case .locked:
      let deal = try deal()
      state = .locked(deal, try claim(deal), try messages.stored())
    case .paid, .delivered:
      let deal = try deal()
      state = .paid(
        deal, try claim(deal), try messages.storedIfThere(), try messages.stored(),
        opened: phase == .delivered)
    case .aborted:
      let deal = try deal()
      state = .aborted(deal, try claim(deal), try messages.stored(), try messages.storedAbort())
    case .refused: state = .refused
    case .abandoned: state = .abandoned
    case .registering: throw MessageError(.misuse, "state", "wallet: an announced purchase registers nothing")
    }
  }

  public var phase: PurchasePhase {
    switch state {
    case .requested: .requested
    case .offered: .offered
    case .checked: .checked
    case .announced: .announced
    case .authorised: .authorised
    case .locked: .locked
    case .paid(_, _, _, _, let opened): opened ? .delivered : .paid
    case .aborted: .aborted
    case .refused: .refused
    case .abandoned: .abandoned
    }
  }

  private var deal: Deal? {
    switch state {
    case .announced(let deal), .authorised(let deal, _), .locked(let deal, _, _),
      .paid(let deal, _, _, _, _), .aborted(let deal, _, _, _):
      deal
    default: nil
    }
  }

  /// PO, from the offer on.
  public var p1: Verified<PurchaseOrder>? {
    switch state {
    case .offered(let order), .checked(let order): order
    default: deal?.order
    }
  }

  /// Message 3, once signed.
  public var announcement: Verified<Announcement>? { deal?.announcement }

  /// Messages 3, 4 and 2, once 4 is signed.
  public var claim: Claim? {
    switch state {
    case .authorised(_, let claim), .locked(_, let claim, _), .paid(_, let claim, _, _, _),
      .aborted(_, let claim, _, _):
      claim
    default: nil
    }
  }

  /// Message 7, once known.
  public var lock: Verified<A7>? {
    switch state {
    case .locked(_, _, let lock), .aborted(_, _, let lock, _): lock
    case .paid(_, _, let lock, _, _): lock
    default: nil
    }
  }

  /// The tokens that are in use until the purchase ends.
  public var inputs: [TokenInput] { deal?.inputs ?? [] }

  public static func inputs(of message: [UInt8]) -> [TokenInput] {
    (try? Verified<Announcement>(stored: message))?.payload.inputs ?? []
  }

  public var goodsKey: [UInt8]? {
    guard case .paid(_, _, _, let commit, _) = state else { return nil }
    return try? Verified<A8>(stored: commit.payload.submission).payload.key
  }
}

// MARK: Events before the payment

extension AnnouncedPurchase: LockedMachine {
  public typealias Mode = AnnouncedMode
  public var p3: Verified<A7>? { lock }
}

extension AnnouncedPurchase: RequestedMachine {
  /// PO arrived; M's signature holds.
  public mutating func offered(
    _ order: Verified<PurchaseOrder>, description: String, policy: CustomerPolicy, at now: Timestamp
  ) -> [CustomerEffect] {
    guard case .requested = state else {
      if p1 == order { return [] }
      return [.deny(Denial(.nReused, "the merchant sent another order for the same request"))]
    }
    let terms = order.payload.terms
    if let denial = terms.denial(asked: n1.payload, description: description, policy: policy, at: now) {
      state = .abandoned
      return [.keep(Label(.purchaseOrder), order.bytes), .enter(.abandoned, due: nil), .deny(denial)]
    }
    state = .offered(order)
    return [.keep(Label(.purchaseOrder), order.bytes), .enter(.offered, due: nil)]
  }

  public mutating func ciphertextChecked(root: Hash, length: UInt64) -> [CustomerEffect] {
    guard case .offered(let order) = state else { return [] }
    guard order.payload.terms.goods == GoodsClaim(root: root, length: length) else {
      return [.deny(Denial(.mismatch, "the goods received are not the goods that the order names"))]
    }
    state = .checked(order)
    return [.enter(.checked, due: nil)]
  }

  /// Until 4 is out nobody can lock t: C ends the purchase by itself.
  public mutating func abandoned() -> [CustomerEffect] {
    let inputs = inputs
    switch state {
    case .requested, .offered, .checked:
      state = .abandoned
      return [.enter(.abandoned, due: nil)]
    case .announced:
      state = .abandoned
      return [.enter(.abandoned, due: nil), .freed(inputs)]
    default: return [.deny(Denial(.tooLate, "the payment is on its way; only the archive ends it now"))]
    }
  }

  /// What message 3 will say, for this token. Whoever holds its key signs it.
  public func announcement(of token: Token, expiration: Timestamp) throws(Denial) -> Announcement {
    guard case .checked(let order) = state else {
      throw Denial(.mismatch, "there is no checked order to pay for")
    }
    let terms = order.payload.terms
    let announcement = Announcement(
      merchant: order.signer, archive: terms.archive, value: terms.price, expiration: expiration,
      hPO: order.hash, token: token)
    if let denial = announcement.mismatch(order) { throw denial }
    return announcement
  }

  // MARK: The payment

  /// Message 3 is signed: from here on it is kept, and sent until the archive answers.
  public mutating func announced(_ announcement: Verified<Announcement>) -> [CustomerEffect] {
    guard case .checked(let order) = state, announcement.payload.mismatch(order) == nil,
      announcement.signer == announcement.payload.token.key
    else { return [.deny(Denial(.mismatch, "this announcement is not for this order"))] }
    state = .announced(Deal(order: order, announcement: announcement))
    let payload = announcement.payload
    return [
      .keep(Label(.announcement), announcement.bytes), .enter(.announced, due: payload.expiration),
      .send(announcement.bytes, to: payload.archive),
    ]
  }

  /// The archive published 3; its signature holds. Signs 4 with t's key.
  public mutating func published(
    _ published: Verified<Announced>, tokenKey: borrowing SigningKey
  ) throws(MessageError) -> [CustomerEffect] {
    guard case .announced(let deal) = state else { return [] }
    let consent = try Verified(signing: PurchaseOrder.consent(to: deal.order), with: tokenKey)
    let claim = Claim(
      published: published, announcement: deal.announcement, consent: consent, order: deal.order)
    guard published.payload.announcement == deal.announcement.bytes, claim.mismatch == nil,
      consent.signer == deal.announcement.signer
    else { return [.deny(Denial(.mismatch, "the archive published something else, or too late"))] }
    state = .authorised(deal, claim)
    return [
      .keep(Label(.announced), published.bytes), .keep(Label(.consent), consent.bytes),
      .enter(.authorised, due: deal.announcement.payload.expiration),
      .send(try Bundle([consent.bytes, published.bytes]).encoded(), to: deal.order.signer),
    ]
  }

  /// A signed refusal: of 3 by the archive, or of the claim by the bank. Then t was never locked for it.
  public mutating func refused(_ refusal: Verified<Refusal>) -> [CustomerEffect] {
    switch state {
    case .announced(let deal):
      guard refusal.signer == deal.announcement.payload.archive,
        refusal.payload.hRequest == deal.announcement.hash
      else { return [.deny(Denial(.mismatch, "the refusal is not the archive's answer to this message 3"))] }
    case .authorised(let deal, let claim):
      guard refusal.signer == deal.order.payload.terms.bank,
        (try? claim.bundle.encoded()).map(Hash.init(of:)) == refusal.payload.hRequest
      else { return [.deny(Denial(.mismatch, "the refusal is not the bank's answer to this claim"))] }
    default: return [.deny(Denial(.mismatch, "nothing was asked that could be refused"))]
    }
    let inputs = inputs
    state = .refused
    return [.keep(.refusal, refusal.bytes), .enter(.refused, due: nil), .freed(inputs)]
  }

  /// Message 7 arrived, through M or from the bank; the bank's signature holds. It counts by its terms: which
  /// copy of the published 3 the bank was shown, plays no part.
  public mutating func locked(_ lock: Verified<A7>) -> [CustomerEffect] {
    switch state {
    case .authorised(let deal, let claim):
      guard lock.payload.terms == deal.terms, lock.signer == deal.order.payload.terms.bank else {
        return [.keep(.evidence, lock.bytes), .deny(Denial(.mismatch, "7 does not say what 3 says"))]
      }
      state = .locked(deal, claim, lock)
      return [.keep(Label(.a7), lock.bytes), .enter(.locked, due: deal.terms.expiration)]
    case .locked(_, _, let known) where known.payload.terms != lock.payload.terms:
      return [.keep(.evidence, lock.bytes), .deny(Denial(.nReused, "the bank sent two different 7"))]
    default: return []
    }
  }

  /// An outcome arrived, from whomever; its signatures hold. A commit counts without 7 too: its terms are
  /// those of 3.
  public mutating func decided(_ outcome: Outcome<AnnouncedMode>) -> [CustomerEffect] {
    let (deal, claim, lock): (Deal, Claim, Verified<A7>?)
    switch state {
    case .authorised(let one, let two): (deal, claim, lock) = (one, two, nil)
    case .locked(let one, let two, let three): (deal, claim, lock) = (one, two, three)
    case .paid(_, _, let lock, let commit, _):
      guard commit.bytes != outcome.bytes, let lock, Lock(lock).mismatch(outcome) == nil else { return [] }
      return [.keep(.evidence, outcome.bytes)]
    case .aborted(_, _, let lock, let known):
      // A commit after the abort gives the goods away and proves that the archive did both.
      guard outcome.isCommit, known.bytes != outcome.bytes, Lock(lock).mismatch(outcome) == nil else {
        return []
      }
      return [.keep(.evidence, outcome.bytes)]
    default: return [.deny(Denial(.unknownTransaction, "nothing was paid in this purchase"))]
    }
    if let mismatch = mismatch(outcome, deal.terms, lock) {
      return [.deny(Denial(.mismatch, "the outcome does not match: \(mismatch)"))]
    }
    switch (outcome, lock) {
    case (.committed(let commit), _):
      state = .paid(deal, claim, lock, commit, opened: false)
      return [.keep(Label(.a9a), commit.bytes), .enter(.paid, due: nil), .spent(deal.inputs)]
    case (.aborted, let lock?), (.witnessed, let lock?):
      state = .aborted(deal, claim, lock, outcome)
      return [.keep(outcome.label, outcome.bytes), .enter(.aborted, due: nil), .freed(deal.inputs)]
    case (_, nil): return []  // `mismatch` has denied it
    }
  }

  private func mismatch(
    _ outcome: Outcome<AnnouncedMode>, _ terms: LockTerms, _ lock: Verified<A7>?
  ) -> String? {
    if let lock { return Lock<AnnouncedMode>(lock).mismatch(outcome) }
    switch outcome {
    case .committed(let commit): return terms.mismatch(commit, lock: nil)
    case .aborted, .witnessed: return "an abort can only be matched with 7: ask the bank for it"
    }
  }

  public mutating func opened() -> [CustomerEffect] {
    guard case .paid(let deal, let claim, let lock, let commit, _) = state else {
      return [.deny(Denial(.mismatch, "not paid"))]
    }
    state = .paid(deal, claim, lock, commit, opened: true)
    return [.enter(.delivered, due: nil)]
  }
}
