// Rule 20: a parcel was handed over without its customer's word, or not handed over although due. Decided
// from D0 to D3 and the contract that names the parcel (docs/JUDGE.md).
//
// Invariants: a kiosk is convicted by its own signatures, or by its silence when it was heard. What
// happened at a counter between D2 and D3 nobody can tell from messages: a final record is the kiosk's
// word, and the customer's D2 is what lets it stand.

import Messages

/// A final D3, and what is shown of the visit that it ends.
struct CounterVisit {
  let final: Verified<D3>
  let challenge: Verified<D1>?
  let answer: Verified<D2>?
  /// The whole record, if it is one by all rules.
  let record: DeliveryRecord?

  var kiosk: PublicKey { final.signer }
  var outcome: DeliveryOutcome? { DeliveryOutcome(rawValue: final.payload.outcome) }
  var parcel: String? { challenge?.payload.parcel ?? final.payload.parcel }
  var fact: Fact {
    Fact("D3: the kiosk signed \(outcome.map { "\($0)" } ?? "?")", at: final.payload.time, final.hash)
  }
}

extension CaseFile {
  func parcels() -> [Verdict] {
    let visits = visits()
    return sentParcels.flatMap { p1 -> [Verdict] in
      let contract = p1.payload.contract
      let own = visits.filter { visit in
        guard let challenge = visit.challenge else {
          // A D2 that is not shown could be anybody's: only its parcel ties such a record to a contract.
          return visit.parcel == contract.parcel && contract.offices.contains(visit.kiosk)
        }
        return challenge.payload.hP1 == p1.hash && challenge.payload.merchant == p1.signer
      }
      let subject = Subject(merchant: p1.signer, n: p1.payload.n)
      let said = Fact("P1: the contract names the parcel \(contract.parcel ?? "")", p1.hash)
      let twice = signedTwice(own, subject, said)
      guard twice.isEmpty else { return twice }
      if own.isEmpty { return missing(p1, subject, said) }
      return own.map { visited($0, p1, subject, said) }
    }
  }

  /// Final records with what is shown of their visits.
  private func visits() -> [CounterVisit] {
    counterRecords.filter { $0.payload.stage == DeliveryStage.final.rawValue }.map { final in
      let answer = final.payload.hD2.flatMap { hash in answersAtCounter.first { $0.hash == hash } }
      let challenge = answer.flatMap { answer in challenges.first { $0.hash == answer.payload.hD1 } }
      let verified = counterRecords.first {
        $0.signer == final.signer && $0.payload.stage == DeliveryStage.verified.rawValue
          && final.payload.hD2 != nil && $0.payload.hD2 == final.payload.hD2
      }
      let leave = challenge.flatMap { challenge in
        leaves.first {
          $0.payload.key == answer?.signer && $0.payload.parcel == challenge.payload.parcel
            && challenge.payload.time < $0.payload.until
        }
      }
      let messages = [challenge?.bytes, answer?.bytes, leave?.bytes, verified?.bytes, final.bytes]
      return CounterVisit(
        final: final, challenge: challenge, answer: answer,
        record: try? DeliveryRecord(messages.compactMap { $0 }, trust: trust))
    }
  }

  /// Two final records of one kiosk: only what was not handed over may be sent back afterwards.
  private func signedTwice(_ visits: [CounterVisit], _ subject: Subject, _ said: Fact) -> [Verdict] {
    for (index, first) in visits.enumerated() {
      for second in visits[(index + 1)...] where second.kiosk == first.kiosk {
        let (early, late) =
          first.final.payload.index < second.final.payload.index ? (first, second) : (second, first)
        let sentBack = late.outcome == .returned && early.outcome != .handedOver && early.outcome != .returned
        guard !sentBack, (try? first.final.payload.encoded()) != (try? second.final.payload.encoded()) else {
          continue
        }
        return [convict(.parcel, culprit(.kiosk, first.kiosk), subject, [said, early.fact, late.fact])]
      }
    }
    return []
  }

  /// One visit, or an end without a customer.
  private func visited(
    _ visit: CounterVisit, _ p1: Verified<P1>, _ subject: Subject, _ said: Fact
  ) -> Verdict {
    let kiosk = culprit(.kiosk, visit.kiosk)
    let lifetime = p1.payload.contract.lifetime
    let commit = commits.first { commit in
      commit.submission.hP1 == p1.hash && commit.submission.merchant == p1.signer && logProofs.isFinal(commit)
    }
    guard visit.outcome == .handedOver else { return notHandedOver(visit, p1, subject, said) }
    guard visit.final.payload.hD2 != nil else {
      let none = Fact("no customer's word is named in it")
      return convict(.parcel, kiosk, subject, [said, visit.fact, none])
    }
    guard let answer = visit.answer else {
      return silence(
        .parcel, kiosk, until: lifetime, subject, [said, visit.fact],
        unless: ["the D2 that it names, by a key that may collect, with its D1"])
    }
    guard let record = visit.record, record.mismatch(p1, hP5a: commit?.hash) == nil else {
      return silence(
        .parcel, kiosk, until: lifetime, subject,
        [said, visit.fact, Fact("D2: not by a key that this contract lets collect", answer.hash)],
        unless: ["the leave of a key that may collect, or the D1 that belongs to it"])
    }
    let word = Fact("D2: a key that the contract lets collect signed for it", answer.hash)
    return spare(
      .parcel, .claimFails, subject, [said] + (commit.map { [$0.fact] } ?? []) + [word, visit.fact])
  }

  private func notHandedOver(
    _ visit: CounterVisit, _ p1: Verified<P1>, _ subject: Subject, _ said: Fact
  ) -> Verdict {
    let kiosk = culprit(.kiosk, visit.kiosk)
    let contract = p1.payload.contract
    if [.refused, .refusedDamaged].contains(visit.outcome) {
      guard visit.final.payload.hD2 != nil else {
        return convict(
          .parcel, kiosk, subject, [said, visit.fact, Fact("no customer's word is named in it")])
      }
      guard let answer = visit.answer, visit.record?.mismatch(p1, hP5a: nil) == nil, visit.record != nil
      else {
        return silence(
          .parcel, kiosk, until: contract.lifetime, subject, [said, visit.fact],
          unless: ["the customer's D2 that it names, with its D1"])
      }
      let word = Fact("D2: the customer's key refused it", answer.hash)
      return spare(.parcel, .noFault, subject, [said, word, visit.fact])
    }
    // A contract that the kiosk never saw does not bind it: whoever signs a second one frames nobody.
    let knew = challenges.first { $0.signer == visit.kiosk && $0.payload.hP1 == p1.hash }
    if visit.outcome == .expired, let end = contract.holdUntil, visit.final.payload.time <= end, let knew {
      let due = Fact("it had to be kept until then", at: end, p1.hash)
      let known = Fact("D1: the kiosk knew the contract", knew.hash)
      return convict(.parcel, kiosk, subject, [said, due, known, visit.fact])
    }
    return spare(
      .parcel, .undecided, subject, [said, visit.fact],
      unless: ["what the merchant and the office agreed on for parcels that are lost or sent back"])
  }

  /// No final record is shown.
  private func missing(_ p1: Verified<P1>, _ subject: Subject, _ said: Fact) -> [Verdict] {
    let contract = p1.payload.contract
    guard let end = contract.holdUntil, now > end,
      let commit = commits.first(where: {
        $0.submission.hP1 == p1.hash && $0.submission.merchant == p1.signer && logProofs.isFinal($0)
      }),
      !sentParcels.contains(where: { $0.hash != p1.hash && $0.payload.contract.parcel == contract.parcel })
    else { return [] }
    let arrival = arrivals.first {
      $0.payload.parcel == contract.parcel && contract.offices.contains($0.signer)
    }
    guard let arrival else {
      return [
        silence(
          .parcel, culprit(.merchant, p1.signer), until: contract.lifetime, subject, [said, commit.fact],
          unless: ["D0 by an office that the contract names: the parcel arrived there"])
      ]
    }
    let here = Fact("D0: the parcel arrived", at: arrival.payload.arrived, arrival.hash)
    return [
      silence(
        .parcel, culprit(.kiosk, arrival.signer), until: contract.lifetime, subject,
        [said, commit.fact, here],
        unless: ["a final D3: what became of the parcel"])
    ]
  }
}
