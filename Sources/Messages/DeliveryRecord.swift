// What a kiosk recorded of one parcel: D1, D2 and D3 that name one another (docs/SPEC.md, "Delivery at a
// counter"). Merchant, archive, kiosk and judge read it by the same rules, which stand here.
//
// Invariants: a record without the customer's own signature is no proof of delivery; what was verified is
// none either, before the parcel was handed over.

/// The messages of one visit at a counter, checked: signatures, signers, and what names what.
public struct DeliveryRecord: Sendable {
  /// The kiosk's challenge and the customer's answer; nil where no customer was there.
  public let challenge: Verified<D1>?
  public let answer: Verified<D2>?
  /// The leave of whoever collects in the customer's place.
  public let delegation: Verified<Delegation>?
  /// The record from before the hand-over.
  public let verified: Verified<D3>?
  /// What became of the parcel.
  public let final: Verified<D3>

  /// Reads [D1, D2, Delegation?, D3 verified?, D3 final], or [D3 final] alone where no customer was there.
  /// `trust` has to have the kiosk at the time of each message.
  public init(_ messages: [[UInt8]], trust: TrustList) throws(MessageError) {
    var reader = RecordReader(messages)
    let d1 = try reader.next(D1.self) { d1 in .trusted(trust, as: .kiosk, at: d1.claims.time) }
    let d2 = try reader.next(D2.self) { d2 in .key(d2.claimedSigners[0]) }
    let leave = try reader.next(Delegation.self) { leave in .key(leave.claimedSigners[0]) }
    var records: [Verified<D3>] = []
    while let d3 = try reader.next(D3.self, by: { d3 in .trusted(trust, as: .kiosk, at: d3.claims.time) }) {
      records.append(d3)
    }
    guard reader.isAtEnd, let final = records.last, records.count <= 2 else {
      throw MessageError(.malformed, "unexpected-type", "delivery record")
    }
    (challenge, answer, delegation, self.final) = (d1, d2, leave, final)
    verified = records.count == 2 ? records[0] : nil
    if let problem { throw MessageError(.malformed, problem, "delivery record") }
  }

  /// The kiosk that made it.
  public var kiosk: PublicKey { final.signer }
  /// The parcel's label.
  public var parcel: String { challenge?.payload.parcel ?? final.payload.parcel ?? "" }
  /// What became of it.
  public var outcome: DeliveryOutcome? { DeliveryOutcome(rawValue: final.payload.outcome) }
  /// Handed over to whoever the customer's key speaks for.
  public var isProofOfDelivery: Bool { answer != nil && outcome == .handedOver }
  /// The messages, in the order in which they are read.
  public var messages: [[UInt8]] {
    [challenge?.bytes, answer?.bytes, delegation?.bytes, verified?.bytes, final.bytes].compactMap { $0 }
  }

  /// The first rule that these messages break among themselves.
  private var problem: String? {
    guard final.payload.stage == DeliveryStage.final.rawValue, let outcome else { return "stage" }
    guard verified.map({ $0.payload.stage == DeliveryStage.verified.rawValue }) ?? true else {
      return "stage"
    }
    guard let challenge, let answer else {
      guard challenge == nil, answer == nil, delegation == nil, verified == nil, final.payload.hD2 == nil,
        final.payload.parcel != nil
      else { return "missing-field" }
      // Without the customer's word nothing is handed over or refused.
      return [.failed, .expired, .returned].contains(outcome) ? nil : "outcome"
    }
    guard challenge.payload.office == challenge.signer, challenge.signer == final.signer else {
      return "kiosk"
    }
    guard answer.payload.hD1 == challenge.hash, answer.payload.intent == challenge.payload.intent else {
      return "hD1"
    }
    guard final.payload.hD2 == answer.hash, final.payload.parcel == nil else { return "hD2" }
    guard final.payload.time >= challenge.payload.time else { return "time" }
    if let verified {
      guard verified.signer == final.signer, verified.payload.hD2 == answer.hash,
        verified.payload.outcome == final.payload.outcome || outcome == .failed,
        verified.payload.index < final.payload.index, verified.payload.time <= final.payload.time
      else { return "verified" }
    }
    guard let intent = DeliveryIntent(rawValue: challenge.payload.intent), intent.outcomes.contains(outcome)
    else { return "outcome" }
    return nil
  }
}

extension DeliveryIntent {
  /// What may become of a parcel when the customer wants this. The first is what he wants.
  public var outcomes: [DeliveryOutcome] {
    switch self {
    case .collect: [.handedOver, .failed]
    case .refuse: [.refused, .failed]
    case .refuseDamaged: [.refusedDamaged, .failed]
    case .refuseWrong: [.failed]
    }
  }
}

extension Contract {
  /// The keys that may collect: those that the customer named, else P.
  public var collectors: [PublicKey] { collectKeys.isEmpty ? [pseudonym] : collectKeys }

  /// Whether whoever has this key may collect the contract's parcel at `time`: as a collector, or by a
  /// collector's leave.
  public func lets(
    _ key: PublicKey, collect parcel: String, by delegation: Verified<Delegation>?, at time: Timestamp
  ) -> Bool {
    guard parcel == self.parcel else { return false }
    guard let delegation else { return collectors.contains(key) }
    return collectors.contains(delegation.signer) && delegation.payload.key == key
      && delegation.payload.parcel == parcel && time < delegation.payload.until
  }
}

extension DeliveryRecord {
  /// Nil if the record is about this sale and its customer; otherwise the first thing that differs. `hP5a` is
  /// not compared where it is nil.
  public func mismatch(_ p1: Verified<P1>, hP5a: Hash?) -> String? {
    let contract = p1.payload.contract
    guard parcel == contract.parcel else { return "parcel" }
    guard contract.offices.isEmpty || contract.offices.contains(kiosk) else { return "office" }
    guard let challenge, let answer else { return nil }
    let d1 = challenge.payload
    guard d1.merchant == p1.signer, d1.n == p1.payload.n, d1.hP1 == p1.hash else { return "hP1" }
    guard hP5a.map({ $0 == d1.hP5a }) ?? true else { return "hP5a" }
    guard contract.lets(answer.signer, collect: d1.parcel, by: delegation, at: d1.time) else {
      return "collector"
    }
    return nil
  }
}

/// Takes messages of expected types from the front of a list.
private struct RecordReader {
  private var rest: ArraySlice<[UInt8]>

  init(_ messages: [[UInt8]]) { rest = messages[...] }

  var isAtEnd: Bool { rest.isEmpty }

  /// The next message if it is of this type.
  mutating func next<P: Payload>(
    _: P.Type, by rule: (Unverified<P>) -> SignerRule
  ) throws(MessageError) -> Verified<P>? {
    guard let bytes = rest.first, try MessageType(peeking: bytes) == P.type else { return nil }
    let message = try Unverified<P>(bytes)
    rest = rest.dropFirst()
    return try Verified(message, by: rule(message))
  }
}
