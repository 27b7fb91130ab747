// Who is known to whom (invariant 6), with the exceptions that a customer asked for: a pseudonym that it
// keeps is seen again, and the account's key is seen by those with whom it is used.

import Messages
import Services

/// Looks at the names under which a customer pays.
struct NameWatch {
  private let referee: Referee
  private let host: Host

  init(_ referee: Referee, _ host: Host) { (self.referee, self.host) = (referee, host) }

  /// Tokens of the account's key pay for purchases under it, and for nothing else.
  func check(_ request: RequestFacts) {
    let isNamed = request.terms.pseudonym == host.member.key
    if isNamed && !host.namesItself { return fail("pays under its account's key without being asked to") }
    for input in request.inputs where (input.token.key == host.member.key) != isNamed {
      return fail(isNamed ? "pays with anonymous tokens under its own name" : "pays with a named token")
    }
    // An announced token is its own pseudonym.
    let keys = request.mode == .announced ? [] : Set(request.inputs.map(\.token.key))
    if keys.contains(request.terms.pseudonym) && !isNamed { fail("pays under the key of a token") }
  }

  /// Nor does an exchange put them together with anonymous ones.
  func exchanges(_ bytes: [UInt8]) {
    guard let x1 = try? Verified<X1>(bytes, by: .ownTokens) else { return }
    let keys = Set(x1.payload.tokenInputs.map(\.token.key))
    if keys.count > 1 && keys.contains(host.member.key) {
      fail("exchanges tokens of its account's key together with anonymous ones")
    }
  }

  /// A purchase begins under the name that its customer wants for it.
  func began(_ signer: PublicKey) {
    guard let signs = host.lastPurchase?.signs else { return }
    let keys = Wallet.keys(entropy: host.member.entropy)
    let names = host.pseudonyms.map { keys.pseudonym(named: $0).publicKey }
    switch signs {
    case .fresh:
      if names.contains(signer) || signer == host.member.key { fail("asks under a name, and wants none") }
    case .pseudonym(let name):
      if keys.pseudonym(named: name).publicKey != signer { fail("asks under another name than \(name)") }
    case .account: if signer != host.member.key { fail("asks under another name than its own") }
    }
  }

  private func fail(_ text: String) { referee.violate(6, "\(host.member.name) \(text)") }

  /// Whether this customer uses this key for several purchases.
  static func mayRepeat(_ key: PublicKey, _ host: Host) -> Bool {
    let keys = Wallet.keys(entropy: host.member.entropy)
    return key == host.member.key && host.namesItself
      || host.pseudonyms.contains { keys.pseudonym(named: $0).publicKey == key }
  }
}
