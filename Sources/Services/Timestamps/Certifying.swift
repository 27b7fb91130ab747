// What is certified: a purchase, a sale, a lock (their messages and proofs), and an archive's checkpoint. The
// tokens stay with what they date, and go where it goes.

import Foundation
public import Messages
import Parties
import Storage
import TransparencyLog

extension Wallet {
  /// Has an authority date all messages and proofs of a purchase, which keeps the tokens.
  public func certify(
    _ number: UInt64, by client: TimestampClient, at place: String? = nil
  ) async throws -> [Stamped] {
    let key = RowKey.number(number)
    _ = try await info(number)
    let kept = try await store.read { tx in
      try EvidenceExport(tx.signedMessages(kind: PurchaseInfo.kind, key: key)).withProofs(in: tx)
    }
    guard !kept.hashes.isEmpty else {
      throw ServiceError.notFound("purchase \(number) has no messages yet: there is nothing to date")
    }
    let stamps = try await client.stamps(over: kept.hashes, at: place)
    try await store.write { tx in
      for (stamp, _) in stamps {
        try tx.append(
          kind: PurchaseInfo.kind, key: key, label: Timestamps.label, bytes: try stamp.encoded())
      }
    }
    return stamps.map { $0.1 }
  }
}

extension MerchantOperation {
  /// Has an authority date all messages and proofs of a sale, which keeps the tokens.
  public func certify(
    _ n: TransactionID, by client: TimestampClient, at place: String? = nil
  ) async throws -> [Stamped] {
    let stamps = try await client.stamps(over: try await evidence(n).hashes, at: place)
    let bytes = try stamps.map { Data(try $0.0.encoded()) }
    _ = try await link.carryOut(KeepWithSale(n: n.description, messages: bytes))
    return stamps.map { $0.1 }
  }
}

extension BankOperation {
  /// Has an authority date all messages and proofs of a lock, which keeps the tokens.
  public func certify(
    _ lock: BankLockName, by client: TimestampClient, at place: String? = nil
  ) async throws -> [Stamped] {
    let stamps = try await client.stamps(over: try await evidence(lock).hashes, at: place)
    let bytes = try stamps.map { Data(try $0.0.encoded()) }
    _ = try await link.carryOut(KeepWithLock(lock: lock.export, messages: bytes))
    return stamps.map { $0.1 }
  }
}

/// A checkpoint that an authority has dated.
public struct CertifiedCheckpoint: Codable, Equatable, Sendable {
  /// The log's size.
  public var size: UInt64
  /// The file that is served beside the log.
  public var path: String
  public var stamped: Stamped
  /// Whether it was dated before, and nobody was asked now.
  public var isOld: Bool
}

/// Certification of an archive's log (protocols.md §12). It works on the log's files, whether the archive
/// runs or not.
public enum ArchiveCertification {
  /// Has the latest checkpoint dated: where the trust list demands witnesses, one that a quorum has cosigned.
  public static func certify(
    _ directory: DataDirectory, by client: TimestampClient, at place: String? = nil
  ) async throws -> CertifiedCheckpoint {
    let root = directory.file("log")
    guard let note = try LogDirectory.object(LogPath.checkpoint, in: root) else {
      throw ServiceError.notFound(
        "\(directory.path) has published no checkpoint: `acd archive serve --log` begins a log")
    }
    let trust = try LoadedTrust(try directory.read("trust.acd")).list
    let size = try size(of: note, PartyCard.load(directory.path), trust)
    let path = root + "/" + LogDirectory.timestamp(size)
    if let kept = try LogDirectory.object(LogDirectory.timestamp(size), in: root),
      let stamp = try? EvidenceTimestamp(encoded: kept), let (authority, date) = client.date(stamp)
    {
      let stamped = Stamped(
        authority: authority.name, at: date.at, accuracySeconds: date.accuracySeconds, count: 1)
      return CertifiedCheckpoint(size: size, path: path, stamped: stamped, isOld: true)
    }
    let (stamp, stamped) = try await client.stamp(checkpoint: note, at: place)
    try LogDirectory.keep(timestamp: try stamp.encoded(), of: size, in: root)
    return CertifiedCheckpoint(size: size, path: path, stamped: stamped, isOld: false)
  }

  /// The size of a checkpoint that is this archive's, and that counts.
  private static func size(of note: [UInt8], _ card: PartyCard, _ trust: TrustList) throws -> UInt64 {
    let origin = String(decoding: note.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    guard let key = PublicKey(hex: card.key) else {
      throw ServiceError.configuration("\(card.name) has no key")
    }
    let checkpoint: Checkpoint
    do {
      let log = try NoteKey(name: origin, kind: .log, publicKey: key)
      checkpoint = try Checkpoint(text: log.verified(note).text)
    } catch { throw ServiceError.protocolViolation("the checkpoint on disk is not \(card.name)'s: \(error)") }
    guard checkpoint.size > 0 else {
      throw ServiceError.notFound("the log is empty: there is nothing to date")
    }
    if let policy = trust.policy.flatMap({ try? LogPolicy($0) }), policy.covers(key),
      (try? policy.verify(note)) == nil
    {
      throw ServiceError.configuration(
        "no quorum of witnesses has cosigned the latest checkpoint yet: certify it later")
    }
    return checkpoint.size
  }
}

extension ArchiveLog {
  private static let nothing = "no checkpoint of this log has been dated by a timestamp authority"

  /// Timestamps beside the tiles.
  nonisolated var certificates: [Route] {
    let root = node.directory.file("log")
    return [
      Route(method: "GET", path: "/log/timestamp") { _ in
        try Self.certificate(root, LogDirectory.timestamped(in: root).last, "no-cache")
      },
      Route(method: "GET", path: "/log/timestamp/:size") { call in
        try Self.certificate(
          root, call.parameters["size"].flatMap { UInt64($0) }, "public, max-age=31536000, immutable")
      },
    ]
  }

  private static func certificate(_ root: String, _ size: UInt64?, _ caching: String) throws -> HTTPReply {
    guard let size, let bytes = try LogDirectory.object(LogDirectory.timestamp(size), in: root) else {
      throw Problem.notFound(nothing)
    }
    var reply = HTTPReply(status: 200, contentType: cborMediaType, body: .bytes(bytes))
    reply.headers.append(("cache-control", caching))
    return reply
  }

  /// The first dated checkpoint that has this entry; nil if there is none.
  nonisolated func certified(covering index: UInt64) throws -> (size: UInt64, note: [UInt8])? {
    let root = node.directory.file("log")
    guard let size = LogDirectory.timestamped(in: root).first(where: { $0 > index }),
      let bytes = try LogDirectory.object(LogDirectory.timestamp(size), in: root),
      let note = try EvidenceTimestamp(encoded: bytes).checkpoint
    else { return nil }
    return (size, note)
  }
}
