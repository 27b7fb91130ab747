// A notice from one bank to another, at the bank that made a lock (US 6,076,078, claims 5, 18 and 49;
// docs/SPEC.md, "Two banks", "Tokens of another issuer"): its value is on the way to the merchant's bank
// (BT1, BT2), or claimed from the bank that issued the tokens (BT3, BT4). Keyed on L, and the issuer. BT1
// and BT2 stand for both.
//
//            lock settled: owe it to the peer, send BT1        BT2 by the peer
//   absent ───────────────────────────────────────────▶ sent ──────────────────▶ done
//                                                       │  ▲
//                                                       └──┘ due, or asked: send BT1 again
//
// Invariants: one BT1 per L, signed once and sent as the same bytes; the peer credits once per L, so that
// sending again is harmless; a peer's refusal ends nothing, because the value is the merchant's since the
// commit.

public import Messages

/// What a bank does about a transfer after an event; all of it in one durable step.
public enum TransferEffect: Equatable, Sendable {
  case keep(Label, [UInt8])
  /// The new phase, and when to send again without being asked.
  case enter(TransferPhase, due: Timestamp?)
  case send([UInt8], to: PublicKey)
  case reply([UInt8])
}

/// Where a transfer stands. As stored: stable numbers.
public enum TransferPhase: Int, Sendable {
  case absent = 0
  case sent, done
}

/// What one bank tells another, and how the other confirms it.
public protocol BankNotice: SendableMetatype {
  associatedtype Notice: Payload
  associatedtype Receipt: Payload
  static func confirms(_ receipt: Receipt, _ notice: Verified<Notice>) -> Bool
}

/// BT1 and BT2: a merchant's account is at the other bank.
public enum PaysMerchantsBank: BankNotice {
  public static func confirms(_ receipt: BT2, _ notice: Verified<BT1>) -> Bool {
    receipt.hBT1 == notice.hash && receipt.lock == notice.payload.lock
      && receipt.amount == notice.payload.amount
  }
}

/// BT3 and BT4: the other bank issued tokens that were used here.
public enum ClaimsOnIssuer: BankNotice {
  public static func confirms(_ receipt: BT4, _ notice: Verified<BT3>) -> Bool {
    receipt.hBT3 == notice.hash && receipt.lock == notice.payload.lock
      && receipt.amount == notice.payload.amount
  }
}

/// The machine of one transfer.
public typealias BankTransfer = NoticeToBank<PaysMerchantsBank>

/// The machine of one notice.
public struct NoticeToBank<K: BankNotice>: ~Copyable, Sendable {
  private enum State {
    case absent
    case sent(Verified<K.Notice>)
    case done(Verified<K.Notice>, Verified<K.Receipt>)
  }

  /// How long the bank waits for BT2 before it sends BT1 again.
  public static var againSeconds: UInt64 { 60 }

  /// The other bank.
  private let peer: PublicKey
  private var state: State

  /// A transfer that has not begun.
  public init(to peer: PublicKey) { (self.peer, state) = (peer, .absent) }

  /// Takes the machine up again from what `keep` stored.
  public init(
    to peer: PublicKey, phase: TransferPhase, messages: [Label: [UInt8]]
  ) throws(MessageError) {
    self.peer = peer
    switch phase {
    case .absent: state = .absent
    case .sent: state = .sent(try messages.stored())
    case .done: state = .done(try messages.stored(), try messages.stored())
    }
  }

  /// Where it stands.
  public var phase: TransferPhase {
    switch state {
    case .absent: .absent
    case .sent: .sent
    case .done: .done
    }
  }

  // MARK: Events

  /// The lock is settled: the peer is told. Once more it is told again.
  public mutating func begun(
    _ notice: K.Notice, at now: Timestamp, key: borrowing SigningKey
  ) throws(MessageError) -> [TransferEffect] {
    guard case .absent = state else { return again(at: now) }
    let bt1 = try Verified(signing: notice, with: key)
    state = .sent(bt1)
    return [.keep(Label(K.Notice.type), bt1.bytes)] + sending(bt1, at: now)
  }

  /// The due time has come, or the merchant asks where its money is.
  public func again(at now: Timestamp) -> [TransferEffect] {
    switch state {
    case .absent: []
    case .sent(let bt1): sending(bt1, at: now)
    case .done(_, let bt2): [.reply(bt2.bytes)]
    }
  }

  /// BT2 arrived; the signature holds.
  public mutating func credited(_ bt2: Verified<K.Receipt>) -> [TransferEffect] {
    guard case .sent(let bt1) = state, bt2.signer == peer, K.confirms(bt2.payload, bt1) else { return [] }
    state = .done(bt1, bt2)
    return [.keep(Label(K.Receipt.type), bt2.bytes), .enter(.done, due: nil)]
  }

  private func sending(_ bt1: Verified<K.Notice>, at now: Timestamp) -> [TransferEffect] {
    [.enter(.sent, due: now + Self.againSeconds), .send(bt1.bytes, to: peer)]
  }
}

extension BT1 {
  /// Pays a merchant into the account that its key has at the other bank.
  public init(paying merchant: PublicKey, _ amount: Money, lock: Hash) {
    self.init(merchant: merchant, amount: amount, lock: lock, account: merchant.description)
  }
}

/// What a bank knows of a peer that sends it BT1.
public struct PeerFacts: Equatable, Sendable {
  /// Minor units that the peer owes already.
  public var owes: UInt64
  /// How much it may owe; nil: no clearing account is open for it.
  public var limit: UInt64?
  /// The account of the merchant whom BT1 names: its currency; nil if there is none.
  public var currency: String?
  /// The merchant's bank by the trust list.
  public var home: PublicKey?

  public init(owes: UInt64, limit: UInt64?, currency: String?, home: PublicKey?) {
    (self.owes, self.limit, self.currency, self.home) = (owes, limit, currency, home)
  }

  /// Nil if the merchant may be credited against the peer's debt; otherwise why not. `known` is the BT1 by
  /// which this lock was credited before.
  public func check(_ bt1: Verified<BT1>, known: Verified<BT1>?, bank: PublicKey) -> Denial? {
    let payload = bt1.payload
    if let known {
      // Signing again changes nothing; another transfer of the lock would pay it twice.
      guard known.payload == payload, known.signer == bt1.signer else {
        return Denial(.nReused, "this lock was credited by another transfer", proof: [known.bytes])
      }
      return nil
    }
    guard home == bank else { return Denial(.mismatch, "the merchant's account is at another bank") }
    guard let currency else { return Denial(.noSuchAccount, "the merchant has no account at this bank") }
    guard payload.amount.currency == currency else {
      return Denial(.wrongValue, "the merchant's account is in \(currency)")
    }
    guard let limit else { return Denial(.unsupported, "there is no clearing with this bank") }
    guard owes <= limit, payload.amount.amount <= limit - owes else {
      return Denial(.funds, "the sending bank owes \(owes) of at most \(limit) minor units: settle first")
    }
    return nil
  }
}
