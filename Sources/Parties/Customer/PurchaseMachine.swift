// What a wallet does with a purchase, by whichever protocol it runs.

public import Messages

/// A customer's machine of one purchase.
public protocol PurchaseMachine: Sendable {
  /// Takes the machine up again from what `keep` stored.
  init(phase: PurchasePhase, messages: [Label: [UInt8]]) throws(MessageError)
  /// Where it stands.
  var phase: PurchasePhase { get }
  /// k, once paid.
  var goodsKey: [UInt8]? { get }
  /// All of the ciphertext is here; this is its root and length.
  mutating func ciphertextChecked(root: Hash, length: UInt64) -> [CustomerEffect]
  /// Gives up before paying. Nothing was spent.
  mutating func abandoned() -> [CustomerEffect]
  /// The goods are open and stored.
  mutating func opened() -> [CustomerEffect]
}

extension CustomerPurchase: PurchaseMachine {}

/// Reads what a wallet kept.
struct KeptMessages {
  let messages: [Label: [UInt8]]

  func message<P>(_ type: P.Type = P.self) throws(MessageError) -> Verified<P> {
    guard let bytes = messages[Label(P.type)] else {
      throw MessageError(.misuse, "missing-field", "store: \(P.type.label)")
    }
    return try Verified<P>(stored: bytes)
  }

  func ifThere<P>(_ type: P.Type = P.self) throws(MessageError) -> Verified<P>? {
    messages[Label(P.type)] == nil ? nil : try message(type)
  }
}
