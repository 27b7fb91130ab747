// Leaves and trees of the transparency log: crossing into acd/tlog.h and acd/merkle.h.

internal import CCore

/// Hashes of RFC 6962 trees.
public enum TreeHash {
  /// The root of the tree without leaves.
  public static let empty = Hash(of: [])

  /// H(0x00 ‖ entry).
  public static func leaf(_ entry: [UInt8]) -> Hash {
    precondition(Core.isReady)
    var out = [UInt8](repeating: 0, count: Hash.size)
    let status = acd_merkle_leaf_hash(&out, acd_hash_sodium, entry, entry.count)
    precondition(status == ACD_OK, "libsodium's hash does not fail")
    return Hash(out)!
  }

  /// H(0x01 ‖ left ‖ right).
  public static func node(_ left: Hash, _ right: Hash) -> Hash {
    precondition(Core.isReady)
    var out = [UInt8](repeating: 0, count: Hash.size)
    let status = acd_merkle_node_hash(&out, acd_hash_sodium, left.bytes, right.bytes)
    precondition(status == ACD_OK, "libsodium's hash does not fail")
    return Hash(out)!
  }

  /// Whether the leaf stands at this place of the tree with this root.
  public static func isIncluded(
    _ leaf: Hash, at index: UInt64, of size: UInt64, path: [Hash], root: Hash
  ) -> Bool {
    precondition(Core.isReady)
    return acd_merkle_verify_inclusion(
      leaf.bytes, index, size, path.flatMap(\.bytes), path.count, root.bytes) == ACD_OK
  }

  /// Whether the larger tree begins with the smaller one. False for an empty smaller one: it shows nothing.
  public static func isConsistent(
    _ size: UInt64, _ root: Hash, with larger: UInt64, _ largerRoot: Hash, path: [Hash]
  ) -> Bool {
    precondition(Core.isReady)
    return acd_merkle_verify_consistency(
      size, larger, root.bytes, largerRoot.bytes, path.flatMap(\.bytes), path.count) == ACD_OK
  }
}

/// One entry of the log: what was published when, without what it says (docs/adr/0009).
public struct LogLeaf: Hashable, Sendable {
  /// What was published.
  public enum Kind: UInt8, Sendable, CaseIterable {
    case commit = 1
    case abort = 2
    case announcement = 3
    case registration = 4
    case passive = 5
    case keys = 6
    case refusal = 7
    case delivery = 8
  }

  /// Bytes of an entry.
  public static let size = Int(ACD_LEAF_SIZE)

  /// What stands for a lock where there is none.
  public static let noLock = Hash([UInt8](repeating: 0, count: Hash.size))!

  public let kind: Kind
  /// The archive's time.
  public let at: Timestamp
  /// What it is about; of outcomes: ``transaction(_:_:)``.
  public let subject: Hash
  /// L of outcomes, else zero.
  public let lock: Hash
  /// H(body).
  public let body: Hash

  public init(kind: Kind, at: Timestamp, subject: Hash, lock: Hash? = nil, body: Hash) {
    (self.kind, self.at, self.subject, self.body) = (kind, at, subject, body)
    self.lock = lock ?? Self.noLock
  }

  /// Reads an entry; fails for other versions, kinds and sizes.
  public init(encoded bytes: [UInt8]) throws(MessageError) {
    var leaf = acd_leaf()
    try check(acd_leaf_read(&leaf, bytes, bytes.count), "log entry")
    (kind, at) = (Kind(rawValue: leaf.kind)!, leaf.at)
    subject = withUnsafeBytes(of: leaf.subject) { Hash($0)! }
    lock = withUnsafeBytes(of: leaf.lock) { Hash($0)! }
    body = withUnsafeBytes(of: leaf.body) { Hash($0)! }
  }

  /// The entry, ``size`` bytes.
  public var encoded: [UInt8] {
    var (leaf, out) = (core, [UInt8](repeating: 0, count: Self.size))
    acd_leaf_write(&out, &leaf)
    return out
  }

  /// The leaf as the core has it.
  var core: acd_leaf {
    var leaf = acd_leaf()
    (leaf.kind, leaf.at) = (kind.rawValue, at)
    withUnsafeMutableBytes(of: &leaf.subject) { $0.copyBytes(from: subject.bytes) }
    withUnsafeMutableBytes(of: &leaf.lock) { $0.copyBytes(from: lock.bytes) }
    withUnsafeMutableBytes(of: &leaf.body) { $0.copyBytes(from: body.bytes) }
    return leaf
  }

  /// The leaf's hash in the tree.
  public var hash: Hash { TreeHash.leaf(encoded) }

  /// The subject of an outcome: H("acd-subject" ‖ 1 ‖ M ‖ n).
  public static func transaction(_ merchant: PublicKey, _ n: TransactionID) -> Hash {
    precondition(Core.isReady)
    var out = [UInt8](repeating: 0, count: Hash.size)
    acd_leaf_transaction(&out, merchant.bytes, n.bytes)
    return Hash(out)!
  }
}
