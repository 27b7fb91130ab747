// When a party may let go of what it keeps of a transaction (protocols.md §12; docs/SPEC.md, "What is kept").
//
// Invariants: what is open stays, whatever its age: money that is locked or not yet credited, refunds that
// are under way, and messages that convict somebody. Nothing goes before its lifetime is over, because
// until then peers may ask for it.

public import Messages

/// What goes when.
public enum Retention {
  /// Whether the time has come: `keepSeconds` after the lifetime.
  public static func isOver(_ lifetime: Timestamp, keepSeconds: UInt64, at now: Timestamp) -> Bool {
    now >= lifetime && now - lifetime >= keepSeconds
  }

  /// Whether a merchant may forget a sale of this phase when its time has come. An offer without an
  /// authorization counts as ended: nobody can lock for it any more.
  public static func mayForget(_ phase: SalePhase, evidence: Bool) -> Bool {
    switch phase {
    case .offered, .declined, .aborted, .credited: !evidence
    case .authorised, .forcing, .claiming, .submitted, .cancelling, .committed: false
    }
  }

  /// Whether a bank may forget a lock of this phase when its tokens have ended.
  public static func mayForget(_ phase: LockPhase, evidence: Bool) -> Bool {
    switch phase {
    case .settled, .released: !evidence
    case .absent, .locked, .keyed, .lapsed: false
    }
  }

  /// Whether a refund of a sale keeps it.
  public static func isOpen(_ phase: RefundPhase) -> Bool {
    switch phase {
    case .waiting, .agreed: true
    case .absent, .done, .refused: false
    }
  }

  /// Whether a customer may forget a purchase of this phase when its time has come.
  public static func mayForget(_ phase: PurchasePhase, evidence: Bool) -> Bool { phase.isFinal && !evidence }

  /// How many records, from the first on, an archive may empty: those whose lifetimes are over without a gap.
  /// `lifetimes` are the records' in order; nil where one states none.
  public static func emptied(
    _ lifetimes: [Timestamp?], keepSeconds: UInt64, at now: Timestamp
  ) -> Int {
    lifetimes.prefix { $0.map { isOver($0, keepSeconds: keepSeconds, at: now) } ?? false }.count
  }
}
