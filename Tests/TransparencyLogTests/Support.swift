// What the log's tests share: a naive tree, a storage in memory that crashes, keys from one-byte seeds.

import Messages
import TransparencyLog

/// RFC 6962 section 2.1, word by word, over all leaf hashes.
enum Naive {
  static func root(_ leaves: ArraySlice<Hash>) -> Hash {
    guard let first = leaves.first else { return TreeHash.empty }
    guard leaves.count > 1 else { return first }
    let k = leaves.startIndex + split(leaves.count)
    return TreeHash.node(root(leaves[..<k]), root(leaves[k...]))
  }

  /// PATH(m, D).
  static func path(_ m: Int, _ leaves: ArraySlice<Hash>) -> [Hash] {
    guard leaves.count > 1 else { return [] }
    let k = split(leaves.count)
    let (left, right) = (leaves.prefix(k), leaves.dropFirst(k))
    return m < k ? path(m, left) + [root(right)] : path(m - k, right) + [root(left)]
  }

  /// SUBPROOF(m, D, b).
  static func proof(_ m: Int, _ leaves: ArraySlice<Hash>, _ whole: Bool = true) -> [Hash] {
    if m == leaves.count { return whole ? [] : [root(leaves)] }
    let k = split(leaves.count)
    let (left, right) = (leaves.prefix(k), leaves.dropFirst(k))
    return m <= k
      ? proof(m, left, whole) + [root(right)] : proof(m - k, right, false) + [root(left)]
  }

  private static func split(_ count: Int) -> Int {
    var k = 1
    while k * 2 < count { k *= 2 }
    return k
  }
}

/// A small generator, so that a failure names its seed.
struct Dice: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

func signingKey(_ seed: UInt8) -> SigningKey {
  var bytes = [UInt8](repeating: seed, count: 32)
  return SigningKey(seed: &bytes)
}

let origin = "archive.example/log"

func noteKey(_ seed: UInt8 = 1, _ name: String = origin, _ kind: NoteKey.Kind = .log) throws -> NoteKey {
  try NoteKey(name: name, kind: kind, publicKey: signingKey(seed).publicKey)
}

/// The log's signature alone.
func signed(_ head: LogHead, seed: UInt8 = 1) throws -> [UInt8] {
  try head.checkpoint(origin).signed(as: noteKey(seed), with: signingKey(seed))
}

/// Entries of a log, all different.
func entry(_ index: Int, _ salt: String = "") -> [UInt8] { Array("entry \(index) \(salt)".utf8) }

/// The power is off.
struct PowerCut: Error {}

/// A storage in memory. Writes are counted; at the one that is chosen the power goes, and what was being
/// written may be there, be torn, or be missing.
struct MemoryStorage: LogStorage {
  var objects: [String: [UInt8]] = [:]
  var durableHead: LogHead?
  var published: [UInt8]?
  /// Every checkpoint that ever left.
  var shown: [[UInt8]] = []
  /// How many writes are still done.
  var writesLeft = Int.max
  var dice = Dice(1)
  var writes = 0
  /// Names that were written when they were there already.
  var overwritten: Set<String> = []

  func head() -> LogHead? { durableHead }
  func object(_ path: String) -> [UInt8]? { objects[path] }
  func checkpoint() -> [UInt8]? { published }

  private mutating func write(_ body: (inout Self) -> Void, torn: (inout Self) -> Void = { _ in }) throws {
    writes += 1
    guard writesLeft > 0 else {
      switch dice.below(3) {
      case 0: body(&self)
      case 1: torn(&self)
      default: break
      }
      throw PowerCut()
    }
    writesLeft -= 1
    body(&self)
  }

  mutating func store(_ batch: [LogObject], from: LogHead, to: LogHead) throws -> Bool {
    guard durableHead ?? .empty == from else { return false }
    for object in batch {
      if objects[object.path] != nil { overwritten.insert(object.path) }
      let length = dice.below(object.bytes.count + 1)
      try write {
        $0.objects[object.path] = object.bytes
      } torn: {
        $0.objects[object.path] = Array(object.bytes.prefix(length))
      }
    }
    try write { $0.durableHead = to }
    return true
  }

  mutating func publish(_ note: [UInt8]) throws {
    try write {
      $0.published = note
      $0.shown.append(note)
    }
  }

  mutating func discard(_ prefixes: [String]) throws {
    for prefix in prefixes {
      for path in objects.keys.sorted() where path.hasPrefix(prefix) {
        try write { $0.objects[path] = nil }
      }
    }
  }
}

func writer(
  _ storage: MemoryStorage, isNew: Bool = false, seen: [LogHead] = []
) throws -> LogWriter<MemoryStorage> {
  try LogWriter(opening: storage, key: noteKey(), seen: seen, isNew: isNew) { try signed($0) }
}
