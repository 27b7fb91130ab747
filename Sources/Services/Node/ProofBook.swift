// fin() at a running party: before anybody acts on an outcome whose archive's log the trust list has a
// policy for, its proof is here, and holds (Finality). The proof comes from the archive, or from whoever
// brings the outcome, and is kept with it: for receipts, for judges, and for others who ask later than the
// archive lives.
//
// Invariants: what is kept has been checked; what others bring is held in bounded memory only, until the
// outcome comes and it can be.

import Foundation
import Messages
import Parties
import Storage

/// An outcome that nobody acts on yet.
struct NotFinal: Error, CustomStringConvertible {
  let archive: String
  var description: String {
    "\(archive)'s log does not show this outcome yet, as its witnesses have to have seen it; no money moved, "
      + "try again"
  }
}

/// Proofs that were brought before their outcomes.
private actor ProofShelf {
  private static let countMax = 256
  private var proofs: [Hash: [UInt8]] = [:]
  private var order: [Hash] = []

  func put(_ proof: [UInt8], of outcome: Hash) {
    if proofs.updateValue(proof, forKey: outcome) == nil { order.append(outcome) }
    if order.count > Self.countMax { proofs[order.removeFirst()] = nil }
  }

  func proof(of outcome: Hash) -> [UInt8]? { proofs[outcome] }
}

/// The proofs of one party.
struct ProofBook: Sendable {
  private static let (kind, label) = ("proof", "tlog-proof")
  /// Bytes of the longest proof.
  static let sizeMax = 16_384
  private static let outcomes: Set<MessageType> = [.p5a, .p5b, .e7a, .e7b, .r10a, .r10b, .a9a, .a9b]

  let finality: Finality
  private let trust: TrustList
  private let store: any Store
  private let transport: any PeerLink
  private let clock: Clock
  private let shelf = ProofShelf()

  init(trust: TrustList, store: any Store, transport: any PeerLink, clock: @escaping Clock) {
    (self.trust, self.store, self.transport, self.clock) = (trust, store, transport, clock)
    finality = Finality(trust)
  }

  /// Where an archive or another party serves and takes the proof of an outcome.
  static func path(_ outcome: Hash) -> String { "/v1/proofs/\(outcome)" }

  // MARK: Demanding

  /// Returns if the outcome is final, or its archive's needs no proof.
  /// - Throws: ``NotFinal`` until its proof is there.
  func require<M: LockMode>(_ outcome: Outcome<M>) async throws {
    guard let logged = try outcome.logged(), finality.demandsProof(of: logged.archive) else { return }
    let name = logged.leaf.body
    if let kept = try await kept(name), holds(kept, logged, at: nil) { return }
    if let brought = await shelf.proof(of: name), try await keep(brought, logged) { return }
    if let fetched = try? await fetch(logged), try await keep(fetched, logged) { return }
    throw NotFinal(archive: trust.entries.first { $0.key == logged.archive }?.name ?? "the archive")
  }

  /// A proof of an outcome that was acted on; renewed, if the archive can be asked.
  func renewed<M: LockMode>(_ outcome: Outcome<M>) async throws -> [UInt8]? {
    guard let logged = try outcome.logged(), finality.demandsProof(of: logged.archive) else { return nil }
    if let fetched = try? await fetch(logged), try await keep(fetched, logged) { return fetched }
    return try await kept(logged.leaf.body)
  }

  private func holds(_ proof: [UInt8], _ logged: LoggedOutcome, at now: Timestamp?) -> Bool {
    (try? finality.check(logged, proof: proof, at: now)) != nil
  }

  private func keep(_ proof: [UInt8], _ logged: LoggedOutcome) async throws -> Bool {
    guard holds(proof, logged, at: clock()) else { return false }
    try await store.write { tx in
      _ = try tx.append(kind: Self.kind, key: logged.leaf.body.bytes, label: Self.label, bytes: proof)
    }
    return true
  }

  private func fetch(_ logged: LoggedOutcome) async throws -> [UInt8]? {
    guard let url = trust.entries.first(where: { $0.key == logged.archive && $0.url != nil })?.url else {
      return nil
    }
    let reply = try await transport.send(
      "GET", url: url + Self.path(logged.leaf.body), body: nil, contentType: nil)
    return reply.status == 200 && reply.body.count <= Self.sizeMax ? reply.body : nil
  }

  // MARK: Keeping

  /// The latest proof of an outcome that was kept.
  func kept(_ outcome: Hash) async throws -> [UInt8]? {
    try await store.read { try Self.kept(outcome, in: $0) }
  }

  static func kept(_ outcome: Hash, in tx: any StoreTransaction) throws -> [UInt8]? {
    try tx.message(kind: kind, key: outcome.bytes, label: label)
  }

  /// Shows a peer the proofs of the outcomes that it is about to be sent. It may have them, or get them from
  /// the archive: so nothing depends on its answer.
  func show(_ bytes: [UInt8], to url: String) async {
    guard finality.logPolicy != nil else { return }
    let bundled = bytes.first == 0xd2 ? [bytes] : (try? Messages.Bundle(encoded: bytes))?.messages ?? []
    for message in bundled {
      guard let type = try? MessageType(peeking: message), Self.outcomes.contains(type),
        let proof = try? await kept(Hash(of: message))
      else { continue }
      _ = try? await transport.send(
        "POST", url: url + Self.path(Hash(of: message)), body: proof, contentType: "text/plain")
    }
  }

  /// Takes proofs that others show.
  var route: Route {
    Route(method: "POST", path: "/v1/proofs/:outcome") { call in
      guard let outcome = call.parameters["outcome"].flatMap(Hash.init(hex:)),
        (1...Self.sizeMax).contains(call.body.count)
      else { throw Problem.badRequest("a proof has at most \(Self.sizeMax) bytes, and is of a hash") }
      await shelf.put(call.body, of: outcome)
      return HTTPReply(status: 204, contentType: "text/plain", body: .bytes([]))
    }
  }
}
