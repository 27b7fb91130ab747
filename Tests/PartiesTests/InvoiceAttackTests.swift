// Attacks 11 and 12 of the catalogue. Where a fix can be left out, the test also shows that the attack would
// succeed without it.

import Messages
import Parties
import Testing

@Suite("Attacks on invoice purchases")
struct InvoiceAttackTests {
  private let deal = InvoiceDeal()

  /// A machine of the archive that has registered and approved what it is shown.
  private func approves(_ deposit: InvoiceDeposit, _ registration: Verified<Registration>, at archive: Actor)
    throws -> Bool
  {
    let rig = ArchiveTokenRig()
    try rig.registered(registration, by: archive)
    return try rig.deposited(deposit, by: archive).contains("keep Approval")
  }

  @Test("6: what was agreed on for one way is not deposited in another: the way stands in hx")
  func otherWay() throws {
    let passive = InvoiceDeal(way: .invoicePassive)
    #expect(try !approves(passive.deposit(), passive.registration(), at: .archive), "the bank decides there")
    let bank = BankDepositRig()
    #expect(
      try bank.deposited(deal.deposit(), registration: deal.registration()) == ["refuse wrongKey"],
      "the archive decides there")
    // Without the way in hx the two commitments would be one, and both would take it.
    #expect(passive.hx != deal.hx)
    let same = try passive.invoice { $0.hx = deal.hx }
    #expect(try approves(passive.deposit(same), passive.registration(), at: .archive))
  }

  @Test("16: a token's owner frames no archive by a second endorsement: the first is the proof")
  func framedArchive() throws {
    let rig = ArchiveTokenRig()
    try rig.registered(deal.registration())
    try rig.deposited(deal.deposit())
    let second = try deal.invoice { $0.salt = digest(9) }
    #expect(try rig.deposited(deal.deposit(second)) == ["refuse spent"])
    // Without the rule the archive would have approved one token twice, which convicts it.
    #expect(try approves(deal.deposit(second), deal.registration(), at: .archive))
  }

  @Test("11: one token at two archives: the class binds it to one of them")
  func twoArchives() throws {
    #expect(try approves(deal.deposit(), deal.registration(), at: .archive))
    // The same token for an invoice at another archive: what it names is under the bank's signature.
    let other = InvoiceDeal.token(.tokenOne, .otherArchive)
    #expect(other.id != InvoiceDeal.token().id, "it is another message than the bank signed")
    let plain = Hash.token(key: other.key, serial: other.serial)
    #expect(
      Hash.token(key: other.key, serial: other.serial, archive: nil) == plain, "unbound it would be the same")
    let registration = try Actor.tokenOne.sign(
      Registration(archive: other.archive!, tokenKey: other.key, inner: other.inner!))
    let invoice = try deal.invoice(address: other.address!) { $0.archive = other.archive! }
    let deposit = try deal.deposit(invoice, deal.endorsement(of: invoice)) { $0.token = other }
    var unsigned = Tokens.fresh
    unsigned.signatureHolds = false
    let rig = ArchiveTokenRig()
    try rig.registered(registration, by: .otherArchive)
    #expect(try rig.deposited(deposit, facts: unsigned, by: .otherArchive) == ["refuse badToken"])
    // Without the binding the signature would hold at both, and both would approve.
    #expect(
      try approves(deposit, registration, at: .otherArchive), "if the class were not under the signature")
    // And the deposit as it is, at another archive.
    #expect(try !approves(deal.deposit(), registration, at: .otherArchive))
  }

  @Test("11: a bound token is not spent by P2, X1 or an announcement too")
  func otherUses() throws {
    let sale = Sale()
    let inputs = [
      TokenInput(token: InvoiceDeal.token(), amount: 1000),
      TokenInput(token: Tokens.token(.tokenTwo), amount: 234),
    ]
    let facts = Tokens.facts(inputs)
    let denial = BankCounter.checkTokens(
      inputs, total: Sale.price, facts: facts, bank: Actor.bank.publicKey, outlive: Times.lifetime)
    #expect(denial?.reason == .badToken)
    let unbound = inputs.map { input in
      var free = input
      free.token.archive = nil
      return free
    }
    #expect(
      BankCounter.checkTokens(
        unbound, total: Sale.price, facts: Tokens.facts(unbound), bank: Actor.bank.publicKey,
        outlive: Times.lifetime) == nil, "without the class it would pay")
    let bank = BankRig()
    let p2 = try sale.p2 { $0.tokenInputs = inputs }
    #expect(try bank.authorised(p2, facts: facts) == ["refuse badToken"])
  }

  @Test("11: whoever finds S_a(token) cannot have it paid to himself")
  func strangersDeposit() throws {
    let approval = try deal.approval()
    let rig = BankDepositRig()
    // Anybody may bring it, and it pays the merchant whom it names.
    try rig.approved(approval)
    let paid = rig.effects.contains { effect in
      if case .pay(_, _, let merchant, _) = effect { return merchant == Actor.merchant.publicKey }
      return false
    }
    #expect(paid)
    // Naming another needs the archive's key.
    var stolen = approval.payload
    stolen.merchant = Actor.stranger.publicKey
    let forged = try Actor.stranger.sign(stolen)
    #expect(try BankDepositRig().approved(forged) == ["refuse untrusted"])
    #expect(
      try BankDepositRig().approved(Actor.archive.sign(stolen)).contains("enter credited"),
      "if 8 named nobody, whoever brings it could name himself")
  }

  @Test("11: an approval is over one invoice, and an expired invoice takes no token")
  func expired() throws {
    let rig = ArchiveTokenRig()
    try rig.registered(deal.registration())
    #expect(try rig.deposited(deal.deposit(), at: Times.expiration) == ["refuse tooLate"])
    let endless = try deal.invoice { $0.expiration = Times.lifetime }
    #expect(
      try rig.deposited(deal.deposit(endless), at: Times.expiration).contains("enter used"),
      "without an expiration the customer could never have the token back")
  }

  @Test("12: nobody else's entry at an address counts, whatever the order, and none shuts the owner out")
  func squatting() throws {
    let passive = InvoiceDeal(way: .invoicePassive)
    let address = InvoiceDeal.token().address!
    let own = try passive.registration()
    // A stranger who learns h(t) registers his own key first, or the owner's, or posts what he likes.
    let theft = try Actor.stranger.sign(
      Registration(
        archive: Actor.archive.publicKey, tokenKey: Actor.stranger.publicKey, inner: own.payload.inner))
    let forged = try Actor.stranger.sign(own.payload)
    let junk = try passive.invoice().bytes
    #expect(theft.payload.address != address, "an address is made of the key that it belongs to")
    for entries in [
      [theft.bytes, forged.bytes, junk, own.bytes], [own.bytes, junk, forged.bytes, theft.bytes],
    ] {
      #expect(Registration.counting(entries, at: address) == own.payload)
    }
    #expect(Registration.counting([theft.bytes, forged.bytes, junk], at: address) == nil)
    // The first entry that says it is a registration: what a reader without the rule would take.
    let naive = [theft.bytes, own.bytes].lazy.compactMap { try? Unverified<Registration>($0) }.first
    #expect(naive?.claims.tokenKey == Actor.stranger.publicKey, "by order the squatter would have it")
    // So the bank pays upon the owner's registration only.
    let rig = BankDepositRig()
    #expect(try rig.deposited(passive.deposit(), registration: theft) == ["not yet"])
    #expect(try rig.deposited(passive.deposit(), registration: own).contains("enter credited"))
  }
}
