// A customer whose archive is silent: witnesses ask it for the customer and certify what it says; once the
// lifetime is over, their quorum's abort makes the bank give the tokens back (attack 4).

import Foundation
import Messages
import Parties
import Storage

extension Wallet {
  /// Has the witnesses ask a purchase's archive: for the outcome, or what its record says. Certificates are
  /// kept with the purchase; an outcome that comes back ends it.
  public func askWitnesses(
    _ number: UInt64, for request: WitnessRequest = .abort, named names: [String] = []
  ) async throws -> [WitnessReport] {
    try await askWitnesses(machine(of: number), number, request, names)
  }

  /// Has the witnesses abort a purchase whose lifetime is over, and shows the bank their abort.
  public func abortByWitnesses(_ number: UInt64) async throws -> [WitnessReport] {
    try await abortByWitnesses(machine(of: number), number)
  }

  private var witnesses: WitnessClient {
    WitnessClient(trust: trust.list, transport: transport, clock: clock, surroundings: surroundings)
  }

  /// The purchase's machine, where there is a lock that its archive ends.
  private func machine(of number: UInt64) async throws -> any LockedMachine.Type {
    guard let machine = CustomerMachines.locked(by: try await info(number).mode) else {
      throw ServiceError.configuration("no archive ends purchase \(number) by a record of its lock")
    }
    return machine
  }

  private func askWitnesses<P: LockedMachine>(
    _: P.Type, _ number: UInt64, _ request: WitnessRequest, _ names: [String]
  ) async throws -> [WitnessReport] {
    let (info, machine) = try await look(P.self, number)
    guard let lock = machine.p3 else {
      throw ServiceError.notFound("purchase \(number) holds no lock that an archive could end")
    }
    let terms = lock.payload.terms
    let bytes: [UInt8]
    switch request {
    case .submission: throw ServiceError.configuration("only the merchant has a submission")
    case .abort:
      guard clock() >= terms.expiration else {
        throw ServiceError.configuration(
          "the archive may still commit until the expiration, in \(terms.expiration - clock()) seconds")
      }
      bytes = lock.bytes
    case .status:
      var generator = surroundings.randomness
      let query = StatusQuery(n: terms.n, merchant: terms.merchant, nonce: .random(using: &generator))
      bytes = try Verified(signing: query, with: seed.pseudonymKey(info.pseudonymIndex)).bytes
    }
    let reports = try await witnesses.ask(WitnessQuestion(lock: lock.bytes, request: bytes), named: names)
    let certificates = reports.compactMap(\.certificate).map { Array($0) }
    try await store.write { tx in
      // The archive's answer names the question by its hash: a judge needs both.
      if request == .status {
        try tx.keep(Label(.statusQuery), bytes, kind: PurchaseInfo.kind, key: RowKey.number(number))
      }
      for bytes in certificates {
        try tx.keep(.nonResponse, bytes, kind: PurchaseInfo.kind, key: RowKey.number(number))
      }
    }
    try await use(certificates, P.self, number, lock)
    return reports
  }

  /// A witness heard what the wallet did not: the outcome counts, whoever brings it.
  private func use<P: LockedMachine>(
    _ certificates: [[UInt8]], _: P.Type, _ number: UInt64, _ lock: Verified<P.Mode.LockMessage>
  ) async throws {
    for bytes in certificates {
      guard let answer = try Verified<NonResponse>(stored: bytes).payload.answer,
        let outcome = try? Outcome<P.Mode>(answer, trust: trust.list),
        Lock<P.Mode>(lock).mismatch(outcome) == nil
      else { continue }
      // The archive gave it to a witness before its log showed it to all: then it is asked for again.
      guard (try? await proofs.require(outcome)) != nil else { continue }
      try await apply(P.self, number) { machine in machine.decided(outcome) }
      await proofs.show(outcome.bytes, to: try entry(lock.signer).url!)
      _ = try? await exchange(outcome.bytes, with: lock.signer)
      return
    }
  }

  private func abortByWitnesses<P: LockedMachine>(
    _: P.Type, _ number: UInt64
  ) async throws -> [WitnessReport] {
    let (_, machine) = try await look(P.self, number)
    guard let lock = machine.p3, machine.phase == .locked else {
      throw ServiceError.configuration("purchase \(number) is not locked: there is nothing to abort")
    }
    try requireOver(lock.payload.terms, at: clock())
    let reports = try await askWitnesses(P.self, number, .abort, [])
    guard try await look(P.self, number).machine.phase == .locked else { return reports }
    let abort = try await witnesses.abort(lock.bytes, reports)
    let outcome = Outcome<P.Mode>.witnessed(abort)
    try await apply(P.self, number) { machine in machine.decided(outcome) }
    guard let reply = try await exchange(abort.bytes, with: lock.signer), reply == abort.bytes else {
      throw ServiceError.protocolViolation("the bank did not take the witnesses' abort; show it again")
    }
    return reports
  }
}

/// The witnesses abort nothing that its archive could still end.
func requireOver(_ terms: LockTerms, at now: Timestamp) throws {
  guard now < terms.lifetime else { return }
  throw ServiceError.configuration(
    "the archive can end this itself for another \(terms.lifetime - now) seconds; ask it, or witnesses to ask"
  )
}
