// The protocols in which the bank locks tokens and an archive's single record decides (FIGS. 3 to 6 and 8):
// which message of a mode plays which part. Everything that is the same in all of them is written once,
// over a `PurchaseMode`.
//
// Invariant (attack 6): each part has its own message type in each mode, and hx contains the mode, so that
// nothing of one mode serves in another.

/// How a sale runs. It stands in the contract and in hx.
public enum Mode: UInt64, CaseIterable, Sendable {
  case core = 1
  case early, joint, compact, repeated, invoice, announced
  /// FIG. 2, broken line: M brings the token to the bank itself.
  case invoiceDirect
  /// FIG. 2 with an archive that is only a record.
  case invoicePassive

  /// The ways in which an invoice is settled. Each is a mode, so that hx says which was agreed on.
  public static let invoices: [Mode] = [.invoice, .invoiceDirect, .invoicePassive]

  /// The mode of this number in a message; fails for one that this build does not know.
  init(number: UInt64, _ subject: String) throws(MessageError) {
    guard let mode = Mode(rawValue: number) else { throw MessageError(.malformed, "field-range", subject) }
    self = mode
  }

  /// The mode that people call so: "core", "joint", …
  public init?(named name: String) {
    guard let mode = Mode.allCases.first(where: { $0.name == name }) else { return nil }
    self = mode
  }

  /// "core", "early", …, "invoice-direct".
  public var name: String {
    switch self {
    case .invoiceDirect: "invoice-direct"
    case .invoicePassive: "invoice-passive"
    default: String(describing: self)
    }
  }
}

/// A mode in which tokens authorise a payment at the bank: P2 or its kin.
public protocol TokenMode: Sendable {
  static var mode: Mode { get }
  static var requestType: MessageType { get }
}

/// FIG. 7: the bank pairs the tokens' authorization with the merchant's; the merchant sees no lock.
public enum CompactMode: TokenMode {
  public static let mode = Mode.compact
  public static let requestType = MessageType.jb2
}

/// One way to sell with a lock: its messages.
public protocol PurchaseMode: TokenMode {
  /// P2 and its kin: what the lock is made on, signed by the tokens.
  associatedtype Request: Payload
  static var lockType: MessageType { get }
  /// P3 and its kin: B→M, C. Its hash is the lock's name.
  associatedtype LockMessage: LockPayload
  /// P4 and its kin: M→A. It carries the key to publish.
  associatedtype Submission: SubmissionPayload
  /// P5a and its kin.
  static var commitType: MessageType { get }
  /// P5b and its kin.
  static var abortType: MessageType { get }
}

/// FIG. 4.
public enum CoreMode: PurchaseMode {
  public static let mode = Mode.core
  public static let requestType = MessageType.p2
  public static let lockType = MessageType.p3
  public typealias Request = AuthorizationQ<CoreMode>
  public typealias LockMessage = AuthorizationB<CoreMode>
  public typealias Submission = P4
  public static let commitType = MessageType.p5a
  public static let abortType = MessageType.p5b
}

/// FIG. 5: the tokens are locked before the goods arrive.
public enum EarlyMode: PurchaseMode {
  public static let mode = Mode.early
  public static let requestType = MessageType.e2
  public static let lockType = MessageType.e3
  public typealias Request = AuthorizationQ<EarlyMode>
  public typealias LockMessage = AuthorizationB<EarlyMode>
  public typealias Submission = E6
  public static let commitType = MessageType.e7a
  public static let abortType = MessageType.e7b
}

/// FIG. 6: the bank is its own archive.
public enum JointMode: PurchaseMode {
  public static let mode = Mode.joint
  public static let requestType = MessageType.ja2
  public static let lockType = MessageType.ja3
  public typealias Request = AuthorizationQ<JointMode>
  public typealias LockMessage = AuthorizationB<JointMode>
  public typealias Submission = JA4
  public static let commitType = MessageType.ja5a
  public static let abortType = MessageType.ja5b
}

/// FIG. 8: one lock, many purchases.
public enum RepeatedMode: PurchaseMode {
  public static let mode = Mode.repeated
  public static let requestType = MessageType.r2
  public static let lockType = MessageType.r3
  public typealias Request = AuthorizationQ<RepeatedMode>
  public typealias LockMessage = AuthorizationB<RepeatedMode>
  public typealias Submission = R9
  public static let commitType = MessageType.r10a
  public static let abortType = MessageType.r10b
}

/// FIG. 3: the token is announced in the archive. Its request is the announcement, which M brings.
public enum AnnouncedMode: PurchaseMode {
  public static let mode = Mode.announced
  public static let requestType = MessageType.announcement
  public static let lockType = MessageType.a7
  public typealias Request = Announcement
  public typealias LockMessage = A7
  public typealias Submission = A8
  public static let commitType = MessageType.a9a
  public static let abortType = MessageType.a9b
}

/// What every offer of M's has in common: of which transaction, and of which ciphertext.
public protocol PromisePayload: Payload {
  var n: TransactionID { get }
  /// The ciphertext, where it is there before the payment.
  var goods: GoodsClaim? { get }
  /// What it opens to.
  var digests: [Hash] { get }
  var price: Money { get }
  var date: Timestamp { get }
  /// The goods' file name; empty where M does not say it.
  var name: String { get }
  /// Until when peers may ask for what belongs to it.
  var lifetime: Timestamp { get }
}

/// What P1, E1 and R1 have in common: M offers under a contract.
public protocol OfferPayload: PromisePayload {
  /// Commits to the key that the archive will publish: `Hash.keyCommitment`.
  var hx: Hash { get }
  var salt: Hash { get }
  var contract: Contract { get }
  /// r, where the published key is masked: k = x ⊕ mask.
  var mask: Hash? { get }
}

extension OfferPayload {
  public var digests: [Hash] { contract.digests }
  public var price: Money { contract.price }
  public var date: Timestamp { contract.date }
  public var name: String { contract.name }
  public var lifetime: Timestamp { contract.lifetime }
}

/// What a ciphertext must be.
public struct GoodsClaim: Equatable, Sendable {
  /// RFC 6962 root over the sealed goods (docs/SPEC.md, "Goods").
  public var root: Hash
  /// Bytes of the sealed goods.
  public var length: UInt64

  public init(root: Hash, length: UInt64) { (self.root, self.length) = (root, length) }
}

/// What P3, E3, JA3, R3 and A7 have in common.
public protocol LockPayload: Payload {
  var terms: LockTerms { get }
}

/// What P4, E6, JA4, R9 and A8 have in common.
public protocol SubmissionPayload: Payload {
  var n: TransactionID { get }
  var expiration: Timestamp { get }
  /// H of the offer.
  var hP1: Hash { get }
  /// L: H of the lock's message.
  var lock: Hash { get }
  /// x, 32 bytes: the key to publish, or the masked key.
  var key: [UInt8] { get }
}
