// Tokens whose issuer is another bank than the one where they are usable (US 6,076,078: "The bank is not
// necessarily the issuer of the tokens, but a given token is usable at only one bank"; docs/SPEC.md, "Tokens
// of another issuer"). The bank keeps the token's spent parts, and claims them from the issuer by what the
// token's owner signed.
//
// Invariants: what is claimed of a token is never more than its value; one authorization is claimed once,
// however often it was signed or sent; only the token's own bank claims it.

public import Messages

/// What a token's owner authorized: which tokens, in which order, how much of each.
public struct TokenOrder: Equatable, Sendable {
  public let inputs: [TokenInput]
  /// H of what was signed, without its signatures: the same for whatever was signed twice.
  public let name: Hash

  /// Reads P2, its kin, X1, or an announcement, and checks the signatures of the tokens' keys.
  public init(_ bytes: [UInt8]) throws(MessageError) {
    let type = try MessageType(peeking: bytes)
    if type == .announcement {
      let inner = try Unverified<Announcement>(bytes)
      let message = try Verified(inner, by: .key(inner.claims.token.key))
      inputs = [TokenInput(token: message.payload.token, amount: message.payload.value.amount)]
      name = Self.name(message)
      return
    }
    let found =
      Self.read(P2.self, bytes) ?? Self.read(E2.self, bytes) ?? Self.read(JA2.self, bytes)
      ?? Self.read(JB2.self, bytes) ?? Self.read(R2.self, bytes) ?? Self.read(X1.self, bytes)
    guard let found else { throw MessageError(.malformed, "unexpected-type", "\(type.label) as an order") }
    self = try found.get()
  }

  private init(inputs: [TokenInput], name: Hash) { (self.inputs, self.name) = (inputs, name) }

  /// Nil if it is of another type.
  private static func read<P: SignedByTokens>(
    _: P.Type, _ bytes: [UInt8]
  ) -> Result<TokenOrder, MessageError>? {
    guard let message = try? Unverified<P>(bytes) else { return nil }
    do throws(MessageError) {
      let verified = try Verified(message, by: .ownTokens)
      return .success(TokenOrder(inputs: verified.payload.tokenInputs, name: name(verified)))
    } catch { return .failure(error) }
  }

  private static func name<P: Payload>(_ message: Verified<P>) -> Hash {
    Hash(of: Array(P.type.name.utf8) + ((try? message.payload.encoded()) ?? message.bytes))
  }

  /// What of the first `due` minor units is of this issuer's tokens.
  public func used(_ due: UInt64, of issuer: PublicKey) -> [TokenInput] {
    inputs.split(after: due).used.filter { $0.token.issuer == issuer }
  }

  /// The banks beside `bank` that issued any of it, in the order of the tokens.
  public func issuers(beside bank: PublicKey) -> [PublicKey] {
    var seen: Set<PublicKey> = [bank]
    return inputs.map(\.token.issuer).filter { seen.insert($0).inserted }
  }

  /// What all of it comes to.
  public var total: UInt64 { inputs.reduce(0) { $0 + $1.amount } }  // at most 32 * 2^53: no overflow
}

/// What an issuer checks before it owes a bank for tokens that were used there.
public enum IssuerDesk {
  /// Nil if BT3 is granted; its signature, and those of `order`, hold. `known`: the BT3 by which this order
  /// was granted before. `facts` has an entry for each used token's id; `spent` there is what was claimed.
  public static func check(
    _ bt3: Verified<BT3>, _ order: TokenOrder, known: Verified<BT3>?, facts: [Hash: TokenFacts],
    issuer: PublicKey
  ) -> Denial? {
    let payload = bt3.payload
    guard payload.issuer == issuer else { return Denial(.mismatch, "BT3 is for another issuer") }
    if let known {
      // Signed again, by a bank that is back from an old copy, it is the same claim.
      let first = known.payload
      guard known.signer == bt3.signer, first.lock == payload.lock, first.amount == payload.amount,
        first.due == payload.due
      else {
        return Denial(.nReused, "this authorization was claimed otherwise", proof: [known.bytes])
      }
      return nil
    }
    guard payload.due <= order.total else {
      return Denial(.wrongValue, "more was used than the tokens' owner authorized")
    }
    let used = order.used(payload.due, of: issuer)
    guard used.allSatisfy({ $0.token.bank == bt3.signer }) else {
      return Denial(.mismatch, "a token is usable at another bank than the one that claims it")
    }
    guard used.reduce(0, { $0 + $1.amount }) == payload.amount.amount else {
      return Denial(.wrongValue, "BT3 claims another amount than its authorization makes due")
    }
    for input in used {
      guard let fact = facts[input.token.id], let denomination = fact.denomination, fact.signatureHolds else {
        return Denial(.badToken, "this bank has not issued a token that is claimed")
      }
      guard denomination.value.currency == payload.amount.currency else {
        return Denial(.wrongValue, "a token is in another currency")
      }
      guard input.amount <= denomination.value.amount - fact.spent else {
        return Denial(.spent, "of a token more is claimed than it is worth", proof: fact.uses)
      }
    }
    return nil
  }
}
