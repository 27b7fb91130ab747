// The table of messages as Swift sees it: CCore/acd_message_table.c is the source.

internal import CCore

/// A row of the table of messages: a signed message, a container or a map inside one.
public enum MessageType: UInt32, CaseIterable, Sendable {
  case p1 = 1
  case p2, coSign, p3, acknowledgement, p4, cancel, p5a, p5b
  case n1, nak, offers
  case credit, refusal, statusQuery, status
  case w1, w2, accountQuery, account, x1, x2
  case keyList, trustList
  case e1, e2, e3, e4, e5, e6, held, e7a, e7b
  case ja2, ja3, ja4, ja5a, ja5b
  case jb2, jb2ack, jb3, jb4a, jb4b
  case r1, r2, r3, r4, r5, r6, r7, r8, r9, r10a, r10b
  case registration, registered, invoice, endorsement, deposit, approval, passiveRecord, complaint
  case purchaseOrder, announcement, announced, consent, a7, a8, a9a, a9b
  case n2, bt1, bt2, bt3, bt4, rf1, rf2, rf3, nonResponse, p5c
  case d0, d1, d2, d3, delegation
  case receipt, bundle, sealed, payment, evidenceTimestamp
  case contract, token, tokenInput, blinded, denomination, trustEntry, offer

  /// How many rows the C table has, its row 0 included; a test holds `allCases` against it.
  public static var tableCount: Int { Int(ACD_TYPE_COUNT.rawValue) }

  var core: acd_message_type { acd_message_type(rawValue: rawValue) }

  var info: acd_message_info { acd_message_info_of(core).pointee }

  /// The name on the wire: "acd-p1".
  public var name: String { String(cString: info.name) }
  /// The catalogue's label: "P1".
  public var label: String { String(cString: info.label) }
  /// A title for people: "Merchandise".
  public var title: String { String(cString: info.title) }
  /// True for messages that somebody signs; false for containers and inner maps.
  public var isSigned: Bool { info.signers != 0 }

  /// The roles that may sign this message.
  public var signers: [Role] { Role.allCases.filter { info.signers & (1 << $0.rawValue) != 0 } }

  init?(core: acd_message_type) { self.init(rawValue: core.rawValue) }
}

/// Who signs what, and as what a key is trusted.
public enum Role: UInt16, CaseIterable, Sendable {
  case bank = 1
  case archive, merchant, kiosk, witness, timestamp, authority
  case token, pseudonym, account

  /// "bank", "archive", …
  public var name: String { String(describing: self) }
}

/// The state of a transaction or of a token, in a status answer.
public enum TransactionState: UInt64, Sendable {
  case unknown = 0
  case offered, locked, submitted, committed, aborted, available, spent, open
}

/// Why something was refused or aborted (docs/SPEC.md, "Reasons").
public enum Reason: UInt64, CaseIterable, Sendable {
  case malformed = 1
  case untrusted, expired, mismatch, spent, locked, wrongValue, badToken, lifetime, nReused
  case tooEarly, tooLate, wrongKey, cancelled, noSuchOffer, funds, noSuchAccount, unknownTransaction
  case committed, aborted, limit, unacknowledged, unsupported, expirationCap, denomination, sealed, `internal`
}
