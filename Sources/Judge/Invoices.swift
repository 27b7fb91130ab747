// Invoice purchases (FIG. 2), where no lock is made: a token is bound to one archive, which approves it for
// one invoice that the token's key endorsed. The rules here say what a bank owes for an approval, and what
// an archive may not sign.

import Messages

/// M's deposit with what it holds; all signatures hold.
struct DepositRecord {
  let deposit: Verified<Deposit>
  let invoice: Verified<Invoice>
  let endorsement: Verified<Endorsement>

  init?(_ deposit: Verified<Deposit>) {
    guard let invoice = try? Verified<Invoice>(deposit.payload.invoice, by: .key(deposit.signer)),
      let word = try? Verified<Endorsement>(
        deposit.payload.endorsement, by: .key(deposit.payload.token.key))
    else { return nil }
    (self.deposit, self.invoice, endorsement) = (deposit, invoice, word)
  }

  var token: Token { deposit.payload.token }
  var terms: InvoiceTerms { invoice.payload.terms }

  /// Whether the token's key endorsed this invoice of this merchant, for this very token.
  var isEndorsed: Bool {
    let address = token.address
    return endorsement.payload.hINV == invoice.hash && endorsement.payload.address == address
      && invoice.payload.address == address && token.archive == terms.archive
  }

  /// Whether this is what the approval is over.
  func documents(_ approval: Verified<Approval>) -> Bool {
    let payload = approval.payload
    return isEndorsed && endorsement.hash == payload.hEndorsement && terms.n == payload.n
      && deposit.signer == payload.merchant && invoice.payload.address == payload.address
      && terms.archive == approval.signer
  }

  /// Whether this is what the bank recorded.
  func documents(_ record: Verified<PassiveRecord>) -> Bool {
    let payload = record.payload
    return isEndorsed && terms.n == payload.n && deposit.signer == payload.merchant
      && invoice.payload.address == payload.address && terms.bank == record.signer
  }
}

extension Verified<Approval> {
  var subject: Subject { Subject(merchant: payload.merchant, n: payload.n) }
  var fact: Fact {
    Fact("Approval: the archive let the merchant have \(payload.value) of a token", at: payload.at, hash)
  }
}

// MARK: Rule 2, for approvals

extension CaseFile {
  /// An approval with its token obliges the token's bank.
  func approvalsNotCredited() -> [Verdict] {
    approvals.compactMap { approval in
      // Direct deposit: the token stands in M's deposit alone, and whoever hears the bank shows it that.
      let brought = invoiceDeposits.first { $0.documents(approval) }?.token
      guard let token = approval.payload.token ?? brought, token.archive == approval.signer,
        token.address == approval.payload.address
      else { return nil }
      let facts = [approval.fact]
      guard let denomination = denomination(token), isSound(token),
        denomination.value == approval.payload.value
      else {
        return spare(
          .notCredited, .undecided, approval.subject, facts,
          unless: ["the bank's key list under which the token is worth what the archive approved"])
      }
      return verdict(on: approval, token, until: lifetime(of: approval, denomination))
    }
  }

  private func verdict(on approval: Verified<Approval>, _ token: Token, until end: Timestamp) -> Verdict {
    let facts = [approval.fact, Fact("the bank owes the merchant \(approval.payload.value)")]
    let credit = credits.first {
      $0.signer == token.bank && $0.payload.lock == approval.hash
        && $0.payload.amount == approval.payload.value
    }
    if let credit {
      let fact = Fact("Credit: the bank credited it", at: credit.payload.at, credit.hash)
      return spare(.notCredited, .noFault, approval.subject, facts + [fact])
    }
    if let other = otherApproval(approval) {
      return spare(
        .notCredited, .noFault, approval.subject,
        facts + [Fact("the archive approved the token for another sale too", other.hash)])
    }
    if let (complaint, answer) = reversal(of: approval) {
      let fact = Fact("the customer's complaint stands: the bank reversed the credit", complaint.hash)
      return spare(
        .notCredited, .noFault, approval.subject, facts + [fact, Fact("the bank's word of it", answer.hash)])
    }
    return silence(
      .notCredited, culprit(.bank, token.bank), until: end, approval.subject, facts,
      unless: ["the bank's Credit of it, another approval of the token, or a complaint that stands"])
  }

  /// Until when the parties keep what shows it.
  private func lifetime(of approval: Verified<Approval>, _ denomination: Denomination) -> Timestamp {
    invoiceDeposits.first { $0.documents(approval) }?.terms.lifetime ?? denomination.spendUntil
  }

  /// Another approval of the same token by the same archive.
  private func otherApproval(_ approval: Verified<Approval>) -> Verified<Approval>? {
    approvals.first {
      $0.signer == approval.signer && $0.payload.address == approval.payload.address
        && $0.payload != approval.payload
    }
  }

  /// The complaint by which a bank took the value of an approval back, and its word of it.
  func reversal(
    of approval: Verified<Approval>
  ) -> (complaint: Verified<Complaint>, answer: Verified<StatusAnswer>)? {
    for answer in answers where answer.payload.state == .available {
      guard answer.payload.proof.contains(approval.bytes) else { continue }
      let complaint = complaints.first {
        $0.hash == answer.payload.hQuery && $0.payload.address == approval.payload.address
      }
      if let complaint { return (complaint, answer) }
    }
    return nil
  }
}

// MARK: Rules 14 and 15

extension CaseFile {
  /// An approval, or a bank's own record, without the word of the token's key.
  func approvedUnendorsed() -> [Verdict] { approvals.map(unendorsed) + records.map(unendorsed) }

  private func unendorsed(_ approval: Verified<Approval>) -> Verdict {
    if let deposit = invoiceDeposits.first(where: { $0.documents(approval) }) {
      let fact = Fact("the token's key endorsed that invoice", deposit.endorsement.hash)
      return spare(.approvedUnendorsed, .noFault, approval.subject, [approval.fact, fact])
    }
    return silence(
      .approvedUnendorsed, culprit(.archive, approval.signer), until: endOfRecords(of: approval),
      approval.subject, [approval.fact],
      unless: ["the deposit with S_c{INV} that the approval names by its hash"])
  }

  private func unendorsed(_ record: Verified<PassiveRecord>) -> Verdict {
    let (payload, subject) = (record.payload, Subject(merchant: record.payload.merchant, n: record.payload.n))
    let taken = Fact("PassiveRecord: the bank took a token for this sale", at: payload.at, record.hash)
    if let deposit = invoiceDeposits.first(where: { $0.documents(record) }) {
      let fact = Fact("the token's key endorsed that invoice", deposit.endorsement.hash)
      return spare(.approvedUnendorsed, .noFault, subject, [taken, fact])
    }
    // A bank keeps its deposits for good (docs/SPEC.md, "What is kept").
    return silence(
      .approvedUnendorsed, culprit(.bank, record.signer), until: .max, subject, [taken],
      unless: ["the deposit with S_c{INV} of an invoice of this merchant and n"])
  }

  /// A token's records are kept until it ends; where nothing says when that is, until the trust list's
  /// lifetime after the approval.
  private func endOfRecords(of approval: Verified<Approval>) -> Timestamp {
    approval.payload.token.flatMap(denomination)?.spendUntil ?? approval.payload.at + trust.lifetimeSeconds
  }

  /// Two approvals of one token.
  func approvedTwice() -> [Verdict] {
    Dictionary(grouping: approvals) { [$0.signer.bytes, $0.payload.address.bytes] }.values.compactMap { own in
      guard let other = own.first(where: { $0.payload != own[0].payload }) else { return nil }
      let facts = [own[0].fact, other.fact]
      if let (complaint, _) = reversal(of: own[0]) ?? reversal(of: other) {
        let fact = Fact("the first was reversed upon the customer's complaint", complaint.hash)
        return spare(.approvedTwice, .noFault, own[0].subject, facts + [fact])
      }
      return convict(.approvedTwice, culprit(.archive, own[0].signer), own[0].subject, facts)
    }
  }
}

// MARK: Rule 5, for invoices

extension CaseFile {
  /// "This invoice never took the token", and that it did: one of the two is a lie of whoever signed both.
  func takenAndDenied() -> [Verdict] {
    var verdicts: [Verdict] = []
    for answer in answers where answer.payload.state == .aborted {
      guard let complaint = complaints.first(where: { $0.hash == answer.payload.hQuery }) else { continue }
      let denied = Fact(
        "it said that the invoice never took the token", at: answer.payload.at, answer.hash)
      for deposit in invoiceDeposits
      where deposit.invoice.hash == complaint.payload.hINV && deposit.isEndorsed
        && answer.payload.at >= deposit.terms.expiration
      {
        if let approval = approvals.first(where: { deposit.documents($0) && $0.signer == answer.signer }) {
          verdicts.append(
            convict(
              .bothOutcomes, culprit(.archive, approval.signer), approval.subject, [approval.fact, denied]))
        }
        let record = records.first {
          $0.signer == answer.signer && $0.payload.n == deposit.terms.n
            && $0.payload.merchant == deposit.deposit.signer
            && $0.payload.address == deposit.invoice.payload.address
        }
        if let record {
          let fact = Fact("PassiveRecord: the bank took it", at: record.payload.at, record.hash)
          verdicts.append(
            convict(
              .bothOutcomes, culprit(.bank, record.signer),
              Subject(merchant: record.payload.merchant, n: record.payload.n), [fact, denied]))
        }
      }
    }
    return verdicts
  }
}

// MARK: Rule 3, for bound tokens

extension CaseFile {
  /// How much of a token that is bound to an archive the evidence explains: by that archive's approval, or by
  /// the bank's own record with the word of the token's key.
  func account(forBound token: Token, _ value: Money) -> (UInt64, [Fact]) {
    let approved = approvals.filter {
      $0.signer == token.archive && $0.payload.address == token.address && reversal(of: $0) == nil
    }
    let taken = invoiceDeposits.filter { deposit in
      deposit.token == token && deposit.isEndorsed
        && records.contains {
          $0.signer == token.bank && $0.payload.n == deposit.terms.n
            && $0.payload.merchant == deposit.deposit.signer && $0.payload.address == token.address
        }
    }
    let facts =
      approved.map(\.fact)
      + taken.map { Fact("the token's key endorsed an invoice that the bank paid", $0.endorsement.hash) }
    return (facts.isEmpty ? 0 : value.amount, facts)
  }
}
