// Parcels (docs/SPEC.md, "Delivery at a counter"): the label that a contract names, and what kiosks say of
// it.
//
// Invariant: a kiosk's word changes no sale and no money. It is kept beside the sale, for the operator and
// for a judge, when it is about this very contract.

import Messages
import Parties
import Storage

/// What a contract says of its parcel.
struct ParcelTerms: Sendable {
  let label: ParcelLabel
  let office: PublicKey
  let holdUntil: Timestamp
  let collectKeys: [PublicKey]
}

extension MerchantService {
  /// Where the sale of a parcel is found.
  static func parcelMark(_ parcel: String) -> String { "parcel/\(parcel)" }

  /// Why this offer does not go where N1 wants it; nil if it does.
  static func undeliverable(_ n1: N1, _ offer: Offer) -> Denial? {
    guard !offer.offices.isEmpty else {
      return n1.office == nil && n1.collectKeys.isEmpty
        ? nil : Denial(.unsupported, "nothing of this offer is collected at a counter")
    }
    guard let office = n1.office, offer.offices.contains(office) else {
      return Denial(
        .unsupported, "this is collected at one of the offices that the offer names: say at which")
    }
    return nil
  }

  /// The parcel of a sale: its label is drawn here, and is kept as long as the offer says.
  func parcel(_ n1: N1, _ stored: StoredOffer, lifetime: Timestamp, at now: Timestamp) -> ParcelTerms? {
    guard let office = n1.office else { return nil }
    var generator = node.surroundings.randomness
    let hold = now + (stored.holdSeconds ?? StoredOffer.holdSecondsUsual)
    return ParcelTerms(
      label: .random(using: &generator), office: office, holdUntil: min(hold, lifetime),
      collectKeys: n1.collectKeys)
  }

  // MARK: What kiosks say

  /// D0: the parcel is at the kiosk. Answered by the other final records of it.
  func arrived(_ bytes: [UInt8]) async throws -> [UInt8] {
    let d0 = try Verified<D0>(bytes, by: .trusted(node.trust.list, as: .kiosk, at: node.clock()))
    return try await record(d0.payload.parcel, request: d0.hash, bytes, [bytes]) { p1, _ in
      p1.payload.contract.offices.contains(d0.signer) ? nil : "office"
    }
  }

  /// D1 to D3: what became of the parcel. Answered by the other final records of it.
  func delivered(_ bundle: Messages.Bundle) async throws -> [UInt8] {
    let delivery = try DeliveryRecord(bundle.messages, trust: node.trust.list)
    return try await record(
      delivery.parcel, request: delivery.final.hash, delivery.final.bytes, delivery.messages
    ) { p1, hP5a in delivery.mismatch(p1, hP5a: hP5a) }
  }

  private func record(
    _ parcel: String, request: Hash, _ bytes: [UInt8], _ messages: [[UInt8]],
    _ mismatch: @escaping @Sendable (Verified<P1>, Hash?) -> String?
  ) async throws -> [UInt8] {
    let now = node.clock()
    return try await node.store.write { [self] tx in
      guard let n = try tx.meta(Self.parcelMark(parcel)).flatMap({ TransactionID($0) }),
        let stored = try tx.message(kind: Self.kind, key: n.bytes, label: Label.p1.rawValue),
        let sale = try view(n, tx)
      else { return try node.refuse(Denial(.unknownTransaction, "no such parcel"), request: bytes) }
      let commit = try tx.message(kind: Self.kind, key: n.bytes, label: Label.p5a.rawValue)
      if let differs = mismatch(try Verified<P1>(stored: stored), commit.map { Hash(of: $0) }) {
        let denial = Denial(.mismatch, "this is not what the contract of the parcel says: \(differs)")
        return try node.refuse(denial, request: bytes)
      }
      // Also what this kiosk signed itself: its journal may have been brought back from an old copy.
      let others = try tx.messages(kind: Self.kind, key: n.bytes).filter {
        guard $0.label == Label(.d3).rawValue, $0.bytes != bytes else { return false }
        return (try? Verified<D3>(stored: $0.bytes))?.payload.stage == DeliveryStage.final.rawValue
      }
      for message in messages {
        try tx.keep(Label(try MessageType(peeking: message)), message, kind: Self.kind, key: n.bytes)
      }
      let answer = StatusAnswer(
        at: now, hQuery: request, proof: others.prefix(8).map(\.bytes), state: sale.state)
      return try Verified(signing: answer, with: node.identity.signing).bytes
    }
  }
}
