// A disk with a write-ahead journal, in memory: what was synchronised survives a crash, what was not may be
// lost or torn anywhere. Records carry their length and a checksum, so recovery stops where a record is
// damaged.
//
//   record = length (8, big-endian) ‖ checksum of the payload (8) ‖ payload

/// The disk of one party.
struct Disk {
  /// What a power cut leaves.
  private(set) var durable: [UInt8] = []
  /// What was written and not yet synchronised.
  private(set) var pending: [UInt8] = []
  /// How many of `durable` an old copy holds; nil: none was made.
  private(set) var backup: Int?
  /// Writes fail while there is no room.
  var isFull = false
  /// Planted by the crash tests of the simulator itself: a disk that does not keep what it promised.
  var ignoresSync = false

  init() {}

  /// Hands a record to the disk; not durable before `synchronise`.
  mutating func append(_ payload: [UInt8]) -> Bool {
    guard !isFull else { return false }
    var writer = JournalWriter()
    writer.put(Int64(payload.count))
    writer.put(Int64(bitPattern: Self.checksum(payload[...])))
    pending += writer.bytes + payload
    return true
  }

  /// All that was written is durable when this returns.
  mutating func synchronise() {
    if ignoresSync { return }
    durable += pending
    pending.removeAll(keepingCapacity: true)
  }

  /// The power goes: of what was not synchronised a prefix may remain, perhaps with damage in it.
  mutating func lose(_ dice: Dice) {
    if !pending.isEmpty && dice.oneIn(2) {
      // Often all sectors but one arrived.
      var left = dice.oneIn(2) ? pending : Array(pending.prefix(dice.below(pending.count + 1)))
      if !left.isEmpty && dice.oneIn(2) { left[dice.below(left.count)] ^= UInt8(1 << dice.below(8)) }
      durable += left
    }
    pending = []
  }

  /// Remembers the disk as it is now, for a later restore.
  mutating func makeBackup() { backup = durable.count }

  /// Puts the old copy back; false if there is none.
  mutating func restoreBackup() -> Bool {
    guard let backup else { return false }
    durable = Array(durable.prefix(backup))
    pending = []
    return true
  }

  /// The payloads of all sound records from the start; what follows a damaged one is cut off.
  mutating func recover() -> [ArraySlice<UInt8>] {
    var payloads: [ArraySlice<UInt8>] = []
    var offset = 0
    while offset + 16 <= durable.count {
      var reader = JournalReader(durable[offset..<offset + 16])
      let (count, sum) = (Int(reader.number()), UInt64(bitPattern: reader.number()))
      guard count >= 0, count <= durable.count - offset - 16 else { break }
      let payload = durable[offset + 16..<offset + 16 + count]
      guard Self.checksum(payload) == sum else { break }
      payloads.append(payload)
      offset += 16 + count
    }
    durable.removeSubrange(offset...)
    return payloads
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 { Fingerprint(bytes).a }
}
