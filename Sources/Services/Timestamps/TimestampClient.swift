// Asking timestamp authorities (RFC 3161 over HTTP, section 3.4). An authority is told a hash, and signs it
// with the time; nothing here needs its answer, so a failure costs nothing.
//
// Invariants: a token is kept only if it answers this very request (nonce, imprint, policy), holds under a
// certificate of the trust list, and its time agrees with this machine's clock as far as both are exact. What
// an authority sends is bounded in size and time, and it is asked three times at most.

import Certification
import Foundation
public import Messages
import Parties

/// An authority that a trust list is to name.
public struct TimestampAuthority: Sendable {
  let entry: TrustEntry

  /// - Parameters:
  ///   - certificate: PEM or DER.
  ///   - url: where it answers.
  ///   - policy: what its tokens have to state, "1.2.3"; nil: any.
  public init(certificate: [UInt8], url: String?, policy: String?) throws {
    let read: AuthorityCertificate
    do { read = try AuthorityCertificate(file: certificate) } catch {
      throw ServiceError.configuration("\(error)")
    }
    if let policy {
      do {
        _ = try TimestampRequest(imprint: Hash(of: []), nonce: 0, policy: policy).encoded()
      } catch { throw ServiceError.configuration("\(policy) is no policy: write it like 1.2.3.4") }
    }
    entry = TrustEntry(
      role: .timestamp, name: String(read.name.prefix(32)), key: read.key, from: read.from, until: read.until,
      url: url, certificate: read.der, tsaPolicy: policy)
  }
}

/// What an authority has dated.
public struct Stamped: Codable, Equatable, Sendable {
  /// As the trust list calls it.
  public var authority: String
  /// Seconds since 1970.
  public var at: Timestamp
  /// How far it may be wrong.
  public var accuracySeconds: UInt64
  /// How many messages, proofs or checkpoints it is over.
  public var count: Int
}

/// Evidence dated by authorities.
enum Timestamps {
  /// Under which label a machine's log keeps them.
  static let label = "Timestamp"
}

/// A client of the trust list's authorities. Call `close` afterwards.
public struct TimestampClient: Sendable {
  private static let attempts = 3
  private let trust: TrustList
  private let transport: any PeerLink
  private let surroundings: Surroundings
  private let clock: @Sendable () -> Timestamp

  /// The client of a party with this directory. `proxy`: "socks5h://HOST:PORT".
  public init(_ directory: DataDirectory, proxy: String? = nil) throws {
    let trust = try LoadedTrust(try directory.read("trust.acd"))
    try requireCurrent(trust, directory)
    let transport = try Transport(
      caPEM: try directory.read("tls/ca.pem"), proxy: proxy, reach: .strangers)
    self.init(trust: trust.list, transport: transport)
  }

  init(
    trust: TrustList, transport: any PeerLink, surroundings: Surroundings = .machine,
    clock: @escaping @Sendable () -> Timestamp = systemClock
  ) {
    (self.trust, self.transport, self.surroundings, self.clock) = (trust, transport, surroundings, clock)
  }

  /// When what a token is over existed, if an authority of the list says so.
  func date(_ stamp: EvidenceTimestamp) -> (TrustEntry, StampDate)? { trust.date(stamp) }

  public func close() async throws { try await transport.shutdown() }

  /// Has all of these dated, so many under one token as a token takes.
  /// - Parameter place: an address, or the name of an authority of the trust list; nil: whichever of them
  ///   answers first.
  func stamps(over hashes: [Hash], at place: String?) async throws -> [(EvidenceTimestamp, Stamped)] {
    var result: [(EvidenceTimestamp, Stamped)] = []
    let all = Array(Set(hashes)).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    for start in stride(from: 0, to: all.count, by: EvidenceTimestamp.hashesMax) {
      let part = Array(all[start..<min(all.count, start + EvidenceTimestamp.hashesMax)])
      let (token, stamped) = try await token(
        EvidenceTimestamp.imprint(of: part), count: part.count, at: place)
      result.append((EvidenceTimestamp(token: token, over: part), stamped))
    }
    return result
  }

  /// Has a log's checkpoint dated.
  func stamp(checkpoint: [UInt8], at place: String?) async throws -> (EvidenceTimestamp, Stamped) {
    let (token, stamped) = try await token(Hash(of: checkpoint), count: 1, at: place)
    return (EvidenceTimestamp(token: token, checkpoint: checkpoint), stamped)
  }

  // MARK: Asking

  private func token(_ imprint: Hash, count: Int, at place: String?) async throws -> ([UInt8], Stamped) {
    let authorities = trust.entries.filter { $0.role == .timestamp }
    guard !authorities.isEmpty else {
      throw ServiceError.configuration(
        "the trust list names no timestamp authority: `acd trust export --tsa CERTIFICATE …` does")
    }
    let named = authorities.filter { place == nil || $0.isCalled(place!) }
    // By an address of one's own any of them may answer.
    let asked =
      place.map { $0.contains("://") } ?? false
      ? authorities.map { ($0, place!) } : named.compactMap { entry in entry.url.map { (entry, $0) } }
    guard !asked.isEmpty else {
      throw ServiceError.notFound(
        "the trust list has no address for \(place ?? "a timestamp authority"): name one by its URL")
    }
    var why = ""
    var tried: Set<String> = []
    for (_, url) in asked where tried.insert(url).inserted {
      do { return try await ask(url, imprint, count, asked.filter { $0.1 == url }.map { $0.0 }) } catch {
        why = "\(url): \(Self.plain(error))"
      }
    }
    throw ServiceError.unreachable(
      "no timestamp: \(why). Nothing was changed and no money moved; try again, or name another authority")
  }

  private static func plain(_ error: any Error) -> String {
    switch error {
    case TransportError.unreachable(let host, let reason): "\(host) cannot be reached (\(reason))"
    case TransportError.tooLarge: "it sent more than an answer can be"
    default: "\(error)"
    }
  }

  /// Asks one address; tries again where nobody answered.
  private func ask(
    _ url: String, _ imprint: Hash, _ count: Int, _ entries: [TrustEntry]
  ) async throws -> ([UInt8], Stamped) {
    var randomness = surroundings.randomness
    let request = TimestampRequest(
      imprint: imprint, nonce: randomness.next(), policy: entries.count == 1 ? entries[0].tsaPolicy : nil)
    let body = try request.encoded()
    let backoff = Backoff(baseSeconds: 1, capSeconds: 4)
    for attempt in 0..<Self.attempts {
      let asked = clock()
      do {
        let reply = try await transport.send(
          "POST", url: url, body: body, contentType: "application/timestamp-query")
        guard reply.status >= 500, attempt < Self.attempts - 1 else {
          return try token(in: reply, to: request, from: asked, count, entries)
        }
      } catch let error as TransportError {
        guard case .unreachable = error, attempt < Self.attempts - 1 else { throw error }
      }
      let delay = backoff.delaySeconds(attempt: attempt, using: &randomness)
      try await surroundings.pause(Int(delay * 1000))
    }
    preconditionFailure("the last attempt returns or throws")
  }

  private func token(
    in reply: TransportReply, to request: TimestampRequest, from asked: Timestamp, _ count: Int,
    _ entries: [TrustEntry]
  ) throws -> ([UInt8], Stamped) {
    guard reply.status == 200 else {
      throw TimestampFault.refused("HTTP status \(reply.status)")
    }
    let token = try TimestampRequest.token(in: reply.body)
    var fault = TimestampFault.refused("no authority of the trust list signed it")
    for entry in entries {
      do throws(TimestampFault) {
        let date = try trust.date(token, imprint: request.imprint, nonce: request.nonce, by: entry)
        try check(date, from: asked)
        return (
          token,
          Stamped(authority: entry.name, at: date.at, accuracySeconds: date.accuracySeconds, count: count)
        )
      } catch { fault = error }
    }
    throw fault
  }

  /// The authority's clock and this one's agree, as far as the one says that it is exact and the list says
  /// that clocks are: a token with another time would be evidence of nothing, or of too much.
  private func check(_ date: StampDate, from asked: Timestamp) throws(TimestampFault) {
    let slack = date.accuracySeconds + trust.skewSeconds
    guard date.at + slack >= asked, date.at <= clock() + slack else {
      throw .unproven("its time is \(date.at), and here it is \(clock()): one of the clocks is wrong")
    }
  }
}
