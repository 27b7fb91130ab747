// The asking side: a party hands its lock and a request to every witness that the trust list has, waits for
// the certificates, and has a quorum's abort signed.

public import Foundation
public import Messages
import Parties

/// What a party asks witnesses about: its lock, and what the archive is to be sent.
public struct WitnessQuestion: Codable, Equatable, Sendable {
  /// P3 or its kin.
  public var lock: Data
  /// A sealed submission, the lock itself (the abort request), or a status query.
  public var request: Data

  init(lock: [UInt8], request: [UInt8]) { (self.lock, self.request) = (Data(lock), Data(request)) }
}

/// Which request a party has sent to its archive.
public enum WitnessRequest: String, CaseIterable, Codable, Sendable {
  /// The merchant's sealed submission, before the expiration.
  case submission
  /// The outcome, or from the expiration on the abort.
  case abort
  /// What the record says.
  case status
}

/// What one witness says, for people and JSON.
public struct WitnessReport: Codable, Equatable, Sendable {
  /// The witness's name in the trust list.
  public var witness: String
  public var sentAt: Timestamp?
  public var waitedUntil: Timestamp?
  /// What the archive answered: "P5b"; nil for nothing.
  public var answer: String?
  /// Why there is no certificate.
  public var failure: String?
  /// NR, complete.
  public var certificate: Data?

  /// The archive did not answer this witness.
  public var isSilence: Bool { certificate != nil && answer == nil }
}

/// Speaks with witnesses.
struct WitnessClient: Sendable {
  let trust: TrustList
  let transport: any PeerLink
  let clock: @Sendable () -> Timestamp
  var surroundings = Surroundings.machine

  /// Asks all witnesses, or those of these names or keys, at the same time.
  func ask(_ question: WitnessQuestion, named names: [String] = []) async throws -> [WitnessReport] {
    let witnesses = try witnesses(named: names)
    return await withTaskGroup(of: WitnessReport.self) { group in
      for witness in witnesses { group.addTask { await self.report(question, witness) } }
      var reports: [WitnessReport] = []
      for await report in group { reports.append(report) }
      return reports.sorted { $0.witness < $1.witness }
    }
  }

  /// The witnesses' abort over these certificates, by whichever witness signs it.
  func abort(_ lock: [UInt8], _ reports: [WitnessReport]) async throws -> Verified<P5c> {
    let certificates = reports.compactMap(\.certificate).map { Array($0) }
    guard !certificates.isEmpty else {
      throw ServiceError.unreachable("no witness certified anything; the money stays locked, try again later")
    }
    // P5c has room for so many; the quorum is what counts.
    let bundle = try Messages.Bundle([lock] + certificates.prefix(8)).encoded()
    var failure: any Error = ServiceError.unreachable("no witness can be reached")
    for witness in try witnesses(named: []) {
      do {
        guard let reply = try await send(bundle, to: witness) else { continue }
        if let refusal = try? Verified<Refusal>(reply, by: .key(witness.key)) {
          throw RefusedByPeer(refusal: refusal)
        }
        guard case .witnessed(let abort) = try Outcome<CoreMode>(reply, trust: trust) else { continue }
        return abort
      } catch { if !(failure is RefusedByPeer) { failure = error } }
    }
    throw failure
  }

  // MARK: One witness

  private func witnesses(named names: [String]) throws -> [TrustEntry] {
    let now = clock()
    let valid = trust.witnesses(at: now)
    let all = trust.entries.filter { $0.role == .witness && $0.url != nil && valid.contains($0.key) }
    guard !all.isEmpty else { throw ServiceError.notFound("the trust list has no witness") }
    for name in names where !all.contains(where: { $0.isCalled(name) }) {
      throw ServiceError.notFound("the trust list has no witness called \(name)")
    }
    return names.isEmpty ? all : all.filter { entry in names.contains { entry.isCalled($0) } }
  }

  private func report(_ question: WitnessQuestion, _ witness: TrustEntry) async -> WitnessReport {
    var report = WitnessReport(witness: witness.name)
    do {
      let certificate = try await certificate(question, witness)
      let said = certificate.payload
      report.certificate = Data(certificate.bytes)
      (report.sentAt, report.waitedUntil) = (said.sentAt, said.waitedUntil)
      report.answer = said.answer.map { (try? MessageType(peeking: $0).label) ?? "a message" }
    } catch { report.failure = "\(error)" }
    return report
  }

  /// Asks until the certificate is there: the witness first waits for as long as the archive may take.
  private func certificate(
    _ question: WitnessQuestion, _ witness: TrustEntry
  ) async throws -> Verified<NonResponse> {
    let (lock, request) = (Array(question.lock), Array(question.request))
    let bundle = try Messages.Bundle([lock, request]).encoded()
    let pause = 300
    for _ in 0...Int(clamping: (2 * trust.answerSeconds + 10) * 1000 / UInt64(pause)) {
      if let reply = try await send(bundle, to: witness) {
        if let refusal = try? Verified<Refusal>(reply, by: .key(witness.key)) {
          throw RefusedByPeer(refusal: refusal)
        }
        let certificate = try Verified<NonResponse>(reply, by: .key(witness.key))
        guard certificate.payload.lock == Hash(of: lock), certificate.payload.hRequest == Hash(of: request)
        else { throw ServiceError.protocolViolation("\(witness.name) certified something else") }
        return certificate
      }
      try await surroundings.pause(pause)
    }
    throw ServiceError.unreachable("\(witness.name) has not certified anything yet: ask again later")
  }

  private func send(_ body: [UInt8], to witness: TrustEntry) async throws -> [UInt8]? {
    let reply = try await transport.send(
      "POST", url: witness.url! + messagesPath, body: body, contentType: mediaType(of: body))
    guard (200..<300).contains(reply.status) else {
      throw ServiceError.unreachable("\(witness.name) answered HTTP \(reply.status)")
    }
    return reply.body.isEmpty ? nil : reply.body
  }
}

extension TrustEntry {
  /// Whether a person means this party by that: its name, its key, or the key's beginning.
  func isCalled(_ text: String) -> Bool {
    name == text || (text.count >= 8 && key.description.hasPrefix(text.lowercased()))
  }
}
