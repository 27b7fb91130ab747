// Every type of the table, to be tried without knowing it at compile time.

import Messages

/// What the tests do with a type of the table.
struct Codec {
  /// Decodes and encodes again.
  let again: ([UInt8]) throws(MessageError) -> [UInt8]
  /// Checks the one signature; nil for what is not signed.
  let verify: (([UInt8]) throws(MessageError) -> [UInt8])?

  private init<F: Fields>(map _: F.Type) {
    again = { (bytes) throws(MessageError) in try F(encoded: bytes).encoded() }
    verify = nil
  }

  private init<P: Payload>(signed _: P.Type) {
    again = { (bytes) throws(MessageError) in try P(encoded: bytes).encoded() }
    verify = { (bytes) throws(MessageError) in
      let message = try Unverified<P>(bytes)
      let verified = try Verified(message, by: .key(message.claimedSigners[0]))
      return verified.bytes
    }
  }

  private static let signed: [any Payload.Type] = [
    P1.self, P2.self, CoSign.self, P3.self, Acknowledgement.self, P4.self, Cancel.self, P5a.self, P5b.self,
    N1.self, NAK.self, Offers.self, Credit.self, Refusal.self, StatusQuery.self, StatusAnswer.self,
    W1.self, W2.self, AccountQuery.self, AccountAnswer.self, X1.self, X2.self, KeyList.self, TrustList.self,
    E1.self, E2.self, E3.self, E4.self, E5.self, E6.self, Held.self, E7a.self, E7b.self,
    JA2.self, JA3.self, JA4.self, JA5a.self, JA5b.self,
    JB2.self, JB2ack.self, JB3.self, JB4a.self, JB4b.self,
    R1.self, R2.self, R3.self, R4.self, R5.self, R6.self, R7.self, R8.self, R9.self, R10a.self, R10b.self,
    Registration.self, Registered.self, Invoice.self, Endorsement.self, Deposit.self, Approval.self,
    PassiveRecord.self, Complaint.self,
    PurchaseOrder.self, Announcement.self, Announced.self, Consent.self, A7.self, A8.self, A9a.self, A9b.self,
    N2.self, BT1.self, BT2.self, BT3.self, BT4.self, RF1.self, RF2.self, RF3.self,
    NonResponse.self, P5c.self,
    D0.self, D1.self, D2.self, D3.self, Delegation.self,
  ]
  private static let maps: [any Fields.Type] = [
    Receipt.self, Bundle.self, SealedMessage.self, Payment.self, EvidenceTimestamp.self, Contract.self,
    Token.self, TokenInput.self,
    Blinded.self, Denomination.self, TrustEntry.self, Offer.self,
  ]

  /// Fails for a type that has no Swift value: `TableTests` asks for all of them.
  static func of(_ type: MessageType) -> Codec {
    func signedCodec<P: Payload>(_ payload: P.Type) -> Codec { Codec(signed: payload) }
    func mapCodec<F: Fields>(_ map: F.Type) -> Codec { Codec(map: map) }
    if let payload = signed.first(where: { $0.type == type }) { return signedCodec(payload) }
    let map: any Fields.Type = maps.first { $0.type == type }!
    return mapCodec(map)
  }

  /// The types that have a Swift value.
  static var types: [MessageType] { signed.map { $0.type } + maps.map { $0.type } }
}
