// Evidence dated by a timestamp authority (RFC 3161): the token, and what it is over. The token itself is
// read with OpenSSL, in Certification; here it is bytes.
//
// Invariants: what the token dates is a hash, and only what hashes to it is dated: by one hash a message, a
// proof or a checkpoint, by several each of them. What a token shows is an upper limit, "it existed by
// then", never that something did not exist, nor that it was the latest.

internal import CCore

/// A token with the hashes that it dates, acd-timestamp/1.
public struct EvidenceTimestamp: Fields {
  public static let type = MessageType.evidenceTimestamp
  /// Hashes under one token.
  public static let hashesMax = 1024

  /// TimeStampToken, DER.
  public var token: [UInt8]
  /// H of what is dated, in ascending order.
  public var hashes: [Hash]
  /// A log's checkpoint with its signatures, if that is what is dated.
  public var checkpoint: [UInt8]?

  /// Over anything that has a hash; the order does not matter, and neither do duplicates.
  public init(token: [UInt8], over hashes: [Hash]) {
    (self.token, self.hashes) = (token, Self.sorted(hashes))
  }

  /// Over a log's checkpoint.
  public init(token: [UInt8], checkpoint: [UInt8]) {
    (self.token, hashes, self.checkpoint) = (token, [Hash(of: checkpoint)], checkpoint)
  }

  public init(_ f: FieldReader) throws(MessageError) {
    token = f.required(Int(ACD_TIMESTAMP_TOKEN)).array
    hashes = try f.required(Int(ACD_TIMESTAMP_HASHES)).hashes
    checkpoint = f.value(Int(ACD_TIMESTAMP_CHECKPOINT))?.array
    let isOfCheckpoint = checkpoint.map { hashes == [Hash(of: $0)] } ?? true
    guard hashes == Self.sorted(hashes), isOfCheckpoint else {
      throw MessageError(.malformed, "field-range", "Timestamp.hashes")
    }
  }

  public func write(to f: inout FieldWriter) {
    f.put(ACD_KEY_FORMAT, Self.type.name)
    f.put(Int(ACD_TIMESTAMP_TOKEN), bytes: token)
    f.put(Int(ACD_TIMESTAMP_HASHES), list: hashes)
    f.put(Int(ACD_TIMESTAMP_CHECKPOINT), bytes: checkpoint)
  }

  /// What the authority signed: the one hash itself, so that any tool verifies the token over the file, or
  /// the hash of all of them.
  public var imprint: Hash { Self.imprint(of: hashes) }

  /// The imprint over these.
  public static func imprint(of hashes: [Hash]) -> Hash {
    let sorted = sorted(hashes)
    return sorted.count == 1 ? sorted[0] : Hash(of: sorted.flatMap(\.bytes))
  }

  private static func sorted(_ hashes: [Hash]) -> [Hash] {
    Set(hashes).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }
}

/// When something existed, as a timestamp authority says.
public struct StampDate: Equatable, Sendable {
  /// What the authority wrote, whole seconds.
  public let at: Timestamp
  /// By how many seconds it may be wrong either way.
  public let accuracySeconds: UInt64

  public init(at: Timestamp, accuracySeconds: UInt64) {
    (self.at, self.accuracySeconds) = (at, accuracySeconds)
  }

  /// The time by which it existed for certain: the authority's clock is believed as far as it says itself.
  public var latest: Timestamp { at + accuracySeconds }
}
