// Checkpoints of logs, their signatures, and policies that say which of them count: crossing into acd/note.h,
// acd/tlog.h and acd/policy.h.

internal import CCore

/// A key that signs notes, with the name that it signs under.
public struct NoteKey: Hashable, Sendable {
  /// What a signature says.
  public enum Kind: UInt8, Sendable {
    /// The note's text.
    case log = 1
    /// That its signer saw the checkpoint at a time, and nothing that contradicts it (cosignature/v1).
    case cosigner = 4
  }

  /// "name+id+key", the text that C2SP's signed-note calls a verifier key.
  public let vkey: String
  public let name: String
  public let kind: Kind
  public let publicKey: PublicKey

  /// Reads a verifier key; the id has to be the key's.
  public init(vkey: String) throws(MessageError) {
    let bytes = vkey.cText
    var key = acd_note_key()
    try bytes.withText { text throws(MessageError) in
      try check(acd_note_key_parse(&key, text.baseAddress, text.count), "verifier key")
    }
    guard let kind = Kind(rawValue: key.type) else {
      throw MessageError(.malformed, "unknown-type", "verifier key")
    }
    (self.vkey, self.kind) = (vkey, kind)
    name = String(decoding: vkey.utf8.prefix(key.name_len), as: UTF8.self)
    publicKey = withUnsafeBytes(of: key.public_key) { PublicKey($0)! }
  }

  /// A key under a name: no spaces, no plus.
  public init(name: String, kind: Kind, publicKey: PublicKey) throws(MessageError) {
    precondition(Core.isReady)
    var out = [CChar](repeating: 0, count: Int(ACD_NOTE_VKEY_MAX))
    var length = 0
    try name.cText.withText { text throws(MessageError) in
      var key = acd_note_key()
      try check(
        acd_note_key_make(&key, text.baseAddress, text.count, kind.rawValue, publicKey.bytes), "note key")
      try check(acd_note_key_write(&out, out.count, &length, &key), "note key")
    }
    vkey = String(decoding: out.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    (self.name, self.kind, self.publicKey) = (name, kind, publicKey)
  }

  /// The text of a note that this key signed, and the time of a cosignature. Fails if there is no such
  /// signature, or one that does not hold.
  public func verified(_ note: [UInt8]) throws(MessageError) -> (text: [UInt8], time: Timestamp) {
    var found = acd_note_signature()
    try vkey.cText.withText { vkey throws(MessageError) in
      var key = acd_note_key()
      try check(acd_note_key_parse(&key, vkey.baseAddress, vkey.count), "verifier key")
      try note.withText { text throws(MessageError) in
        try check(acd_note_find(&found, text.baseAddress, text.count, &key), "note")
      }
    }
    guard found.is_there != 0 else { throw MessageError(.authentication, "untrusted", "note") }
    return (Array(note.prefix(found.text_len)), found.time)
  }
}

extension SigningKey {
  /// The signature line of `key`, which has to be this key's, over a note's text. `time` counts for a
  /// cosignature.
  public func noteLine(_ key: NoteKey, over text: [UInt8], at time: Timestamp = 0) throws(MessageError)
    -> [UInt8]
  {
    precondition(key.publicKey == publicKey)
    var out = [CChar](repeating: 0, count: Int(ACD_NOTE_LINE_MAX))
    var length = 0
    let (name, memory) = (key.name.cText, secret.memory)
    try name.withText { name throws(MessageError) in
      var made = acd_note_key()
      try check(
        acd_note_key_make(&made, name.baseAddress, name.count, key.kind.rawValue, key.publicKey.bytes),
        "note key")
      try text.withText { text throws(MessageError) in
        try check(
          acd_note_sign(&out, out.count, &length, &made, time, text.baseAddress, text.count, memory), "note")
      }
    }
    return out.prefix(length).map { UInt8(bitPattern: $0) }
  }
}

/// A log's head as it is signed.
public struct Checkpoint: Hashable, Sendable {
  public let origin: String
  /// How many leaves.
  public let size: UInt64
  public let root: Hash

  public init(origin: String, size: UInt64, root: Hash) {
    (self.origin, self.size, self.root) = (origin, size, root)
  }

  /// Reads a note's text.
  public init(text: [UInt8]) throws(MessageError) {
    var read = acd_checkpoint()
    try text.withText { text throws(MessageError) in
      try check(acd_checkpoint_read(&read, text.baseAddress, text.count), "checkpoint")
    }
    self.init(read, text)
  }

  fileprivate init(_ read: acd_checkpoint, _ text: [UInt8]) {
    origin = String(decoding: text.prefix(read.origin_len), as: UTF8.self)
    size = read.size
    root = withUnsafeBytes(of: read.root) { Hash($0)! }
  }

  /// The note's text: three lines.
  public func text() throws(MessageError) -> [UInt8] {
    var out = [CChar](repeating: 0, count: Int(ACD_CHECKPOINT_TEXT_MAX))
    var length = 0
    try origin.cText.withText { origin throws(MessageError) in
      var made = acd_checkpoint()
      (made.origin, made.origin_len, made.size) = (origin.baseAddress, origin.count, size)
      withUnsafeMutableBytes(of: &made.root) { $0.copyBytes(from: root.bytes) }
      try check(acd_checkpoint_write(&out, out.count, &length, &made), "checkpoint")
    }
    return out.prefix(length).map { UInt8(bitPattern: $0) }
  }

  /// The whole note, signed by the log.
  public func signed(as key: NoteKey, with signing: borrowing SigningKey) throws(MessageError) -> [UInt8] {
    let text = try text()
    return try text + [UInt8(ascii: "\n")] + signing.noteLine(key, over: text)
  }
}

/// When a policy's witnesses saw a checkpoint, by their clocks.
public struct Cosigned: Hashable, Sendable {
  /// The log that signed it, by its place in the policy.
  public let log: Int
  /// The first time by which a quorum had cosigned; 0 if the policy wants none.
  public let reached: Timestamp
  /// The last time from which on a quorum has cosigned; 0 if it wants none.
  public let fresh: Timestamp

  fileprivate init(_ seen: acd_cosigned) {
    (log, reached, fresh) = (seen.log, seen.reached, seen.fresh)
  }
}

/// What a proof shows that holds.
public struct ProofFacts: Hashable, Sendable {
  public let index: UInt64
  public let size: UInt64
  public let root: Hash
  public let cosigned: Cosigned

  fileprivate init(_ facts: acd_proof_facts) {
    (index, size, cosigned) = (facts.index, facts.size, Cosigned(facts.cosigned))
    root = withUnsafeBytes(of: facts.root) { Hash($0)! }
  }

  /// Whether a quorum saw the log no longer ago than this. True where nobody wants to know, and where the
  /// policy wants no witnesses, who alone say times.
  public func isFresh(within seconds: UInt64?, at now: Timestamp) -> Bool {
    guard let seconds, cosigned.fresh > 0 else { return true }
    return now <= cosigned.fresh || now - cosigned.fresh <= seconds
  }
}

/// A policy as the core has read it, without its text. Sendable: nobody changes it, and it points nowhere.
private final class ReadPolicy: @unchecked Sendable {
  let policy: acd_policy

  init(_ text: String) throws(MessageError) {
    precondition(Core.isReady)
    var policy = acd_policy()
    try text.cText.withText { text throws(MessageError) in
      try check(acd_policy_read(&policy, text.baseAddress, text.count), "policy")
    }
    policy.text = nil
    self.policy = policy
  }
}

/// Which logs count, and which cosignatures suffice (C2SP tlog-policy).
public struct LogPolicy: Hashable, Sendable {
  /// The policy as it is written.
  public let text: String
  private let read: ReadPolicy

  /// Reads a policy; fails for anything that is none.
  public init(_ text: String) throws(MessageError) {
    self.text = text
    read = try ReadPolicy(text)
  }

  public static func == (a: Self, b: Self) -> Bool { a.text == b.text }
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }

  /// The keys of the logs, in the policy's order.
  public func logs() throws(MessageError) -> [NoteKey] {
    var vkeys: [String] = []
    try use { policy, text throws(MessageError) in
      withUnsafeBytes(of: &policy.pointee.logs) { raw in
        let spans = raw.bindMemory(to: acd_policy_span.self)
        for span in spans.prefix(Int(policy.pointee.log_count)) {
          let bytes = text[Int(span.at)..<Int(span.at) + Int(span.len)].map { UInt8(bitPattern: $0) }
          vkeys.append(String(decoding: bytes, as: UTF8.self))
        }
      }
    }
    var keys: [NoteKey] = []
    for vkey in vkeys { keys.append(try NoteKey(vkey: vkey)) }
    return keys
  }

  /// Checks a signed checkpoint: a log of this policy, and a quorum.
  public func verify(_ note: [UInt8]) throws(MessageError) -> (Checkpoint, Cosigned) {
    var (read, seen) = (acd_checkpoint(), acd_cosigned())
    try use { policy, _ throws(MessageError) in
      try note.withText { text throws(MessageError) in
        try check(
          acd_checkpoint_verify(&read, &seen, text.baseAddress, text.count, policy), "checkpoint")
      }
    }
    return (Checkpoint(read, note), Cosigned(seen))
  }

  /// Checks that the leaf is in a log of this policy, under a checkpoint with a quorum. The proof is a
  /// tlog-proof, or packed.
  public func verify(_ proof: [UInt8], of leaf: Hash) throws(MessageError) -> ProofFacts {
    var facts = acd_proof_facts()
    try use { policy, _ throws(MessageError) in
      try check(acd_proof_verify(&facts, proof, proof.count, leaf.bytes, policy), "log proof")
    }
    return ProofFacts(facts)
  }

  /// Whether a log of this policy has this key: then what its owner publishes counts with a proof only.
  public func covers(_ key: PublicKey) -> Bool {
    var found = false
    try? use { policy, _ throws(MessageError) in found = acd_policy_covers(policy, key.bytes) != 0 }
    return found
  }

  /// Checks that an outcome's leaf is in its signer's log, and that a quorum saw it after it was made and
  /// before `lifetime`. The age of the checkpoint is ``ProofFacts/isFresh(within:at:)``'s.
  public func verify(
    _ proof: [UInt8], of leaf: LogLeaf, by signer: PublicKey, lifetime: Timestamp, skewSeconds: UInt64
  ) throws(MessageError) -> ProofFacts {
    var (facts, made) = (acd_proof_facts(), leaf.core)
    try use { policy, _ throws(MessageError) in
      try check(
        acd_outcome_verify(
          &facts, proof, proof.count, &made, lifetime, signer.bytes, policy, skewSeconds), "log proof")
    }
    return ProofFacts(facts)
  }

  /// Where a quorum can be asked for: the witnesses of the policy, by name, with the address that their line
  /// gives.
  public var witnesses: [(key: NoteKey, url: String?)] { lines("witness", key: 2) }

  /// The address that the policy's line gives for the log of this name.
  public func url(of origin: String) -> String? {
    lines("log", key: 1).first { $0.key.name == origin && $0.url != nil }?.url
  }

  /// The lines that begin with a word: their keys, each at this place of its line, and the address behind it.
  private func lines(_ kind: String, key place: Int) -> [(key: NoteKey, url: String?)] {
    text.utf8.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        .map { String(decoding: $0, as: UTF8.self) }
      guard words.count > place, words[0] == kind, let key = try? NoteKey(vkey: words[place]) else {
        return nil
      }
      return (key, words.count > place + 1 ? words[place + 1] : nil)
    }
  }

  /// The policy as the core has it, for one call: it borrows the text.
  private func use(
    _ body: (UnsafeMutablePointer<acd_policy>, UnsafeBufferPointer<CChar>) throws(MessageError) -> Void
  ) throws(MessageError) {
    try text.cText.withText { text throws(MessageError) in
      var policy = read.policy
      policy.text = text.baseAddress
      try body(&policy, text)
    }
  }
}

/// A tlog-proof: text from its parts.
public enum TlogProof {
  /// The proof of the leaf at `index`; `checkpoint` is the whole note, with its cosignatures.
  /// `extra` is whatever a verifier may want beside it, such as the entry itself.
  public static func text(
    index: UInt64, path: [Hash], checkpoint: [UInt8], extra: [UInt8]? = nil
  ) -> [UInt8] {
    var out = Array("c2sp.org/tlog-proof@v1\n".utf8)
    if let extra { out += Array("extra ".utf8) + Base64.encode(extra) + [UInt8(ascii: "\n")] }
    out += Array("index \(index)\n".utf8)
    for hash in path { out += Base64.encode(hash.bytes) + [UInt8(ascii: "\n")] }
    return out + [UInt8(ascii: "\n")] + checkpoint
  }

  /// The extra of a proof in text; nil if it has none.
  public static func extra(of text: [UInt8]) -> [UInt8]? {
    let lines = text.prefix(1 << 17).split(separator: 10, maxSplits: 2, omittingEmptySubsequences: false)
    let word = Array("extra ".utf8)
    guard isText(text), lines.count == 3, lines[1].starts(with: word) else { return nil }
    return Base64.decode(lines[1].dropFirst(word.count))
  }

  /// The checkpoint with its signatures that a proof in text carries.
  public static func note(in text: [UInt8]) -> [UInt8]? {
    guard isText(text),
      let end = text.indices.dropLast().first(where: { text[$0] == 10 && text[$0 + 1] == 10 })
    else { return nil }
    return Array(text[(end + 2)...])
  }

  /// Whether a file says of itself that it is a tlog-proof.
  public static func isText(_ file: [UInt8]) -> Bool {
    file.starts(with: Array("c2sp.org/tlog-proof@v1\n".utf8))
  }

  /// The packed form of a tlog-proof (docs/adr/0009).
  public static func packed(_ text: [UInt8]) throws(MessageError) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: Int(ACD_PROOF_SIZE_MAX))
    var length = 0
    try text.withText { text throws(MessageError) in
      try check(acd_proof_pack(&out, out.count, &length, text.baseAddress, text.count), "log proof")
    }
    return Array(out.prefix(length))
  }
}

/// Base64 of RFC 4648 section 4.
public enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// With padding.
  public static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
      for digit in 0..<4 {
        let index = Int(bits >> (18 - 6 * UInt32(digit)) & 63)
        out.append(digit <= group.count ? alphabet[index] : UInt8(ascii: "="))
      }
    }
    return out
  }
}

extension Base64 {
  /// The bytes of padded base64 in its one spelling; nil for anything else.
  public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    guard !text.isEmpty, text.count.isMultiple(of: 4) else { return nil }
    let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    var (out, bits, count) = ([UInt8](), UInt32(0), UInt32(0))
    for character in text.dropLast(padding) {
      guard let digit = alphabet.firstIndex(of: character) else { return nil }
      (bits, count) = (bits << 6 & 0xffff | UInt32(digit), count + 6)
      guard count >= 8 else { continue }
      count -= 8
      out.append(UInt8(bits >> count & 0xff))
    }
    return bits & (1 << count - 1) == 0 ? out : nil
  }
}

// MARK: Text for C

extension String {
  fileprivate var cText: [UInt8] { Array(utf8) }
}

extension [UInt8] {
  /// The bytes as C's characters, for one call.
  fileprivate func withText<R>(
    _ body: (UnsafeBufferPointer<CChar>) throws(MessageError) -> R
  ) throws(MessageError) -> R {
    let text = map { CChar(bitPattern: $0) }
    var result: Result<R, MessageError>?
    text.withUnsafeBufferPointer { buffer in
      do throws(MessageError) { result = .success(try body(buffer)) } catch { result = .failure(error) }
    }
    return try result!.get()
  }
}
