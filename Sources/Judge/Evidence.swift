// What is handed to a judge: files in any order, duplicates harmless, sizes and counts bounded. Nothing here
// is believed; CaseFile checks it.

public import Messages

/// Sealed goods as a judge reads them: all bytes, in order, as often as asked.
public protocol GoodsSource: Sendable {
  /// What to call it.
  var name: String { get }
  /// How many bytes.
  var length: UInt64 { get }
  /// Hands out all bytes in blocks of any size. Throws what `body` throws, or that they cannot be read.
  func eachBlock(_ body: (UnsafeRawBufferPointer) throws(MessageError) -> Void) throws(MessageError)
}

/// More than a judge takes in one case.
public enum EvidenceError: Error, Equatable, Sendable {
  case tooManyFiles, tooManyMessages, tooManyBytes
}

/// A set of evidence.
public struct Evidence: Sendable {
  /// Files in one case.
  public static let filesMax = 256
  /// Messages in one case, those inside others included.
  public static let messagesMax = 8_192
  /// Bytes of all messages in one case.
  public static let bytesMax = 64 << 20

  private(set) var messages: [MessageType: [[UInt8]]] = [:]
  private(set) var sealed: [Hash: SealedMessage] = [:]
  private(set) var seeds: Set<[UInt8]> = []
  private(set) var tokens: Set<Token> = []
  private(set) var chunks: [[UInt8]: GoodsChunkProof] = [:]
  private(set) var goods: [any GoodsSource] = []
  private(set) var proofs: [[UInt8]] = []
  private(set) var timestamps: [[UInt8]: EvidenceTimestamp] = [:]
  private(set) var setAside: Set<SetAside> = []
  private var seen: Set<Hash> = []
  private var files = 0
  private var bytes = 0

  public init() {}

  /// Proofs of logs in one case.
  public static let proofsMax = 64

  /// Timestamps in one case.
  public static let timestampsMax = 64

  /// Takes a file: a signed message, bundle, receipt, sealed message, token, chunk proof, tlog-proof,
  /// timestamp, or the 32 bytes of a sealing seed.
  /// - Returns: false if it is none of these; then nothing was added, and it may be sealed goods.
  public mutating func add(_ file: [UInt8], name: String) throws(EvidenceError) -> Bool {
    try countFile()
    if (try? MessageType(peeking: file)) != nil || (try? MessageType.nestedMessages(in: file)) != nil {
      try take(file)
      // A receipt has its proof beside its messages.
      if let proof = (try? Receipt(encoded: file))?.proof { try take(proof: proof) }
    } else if let sealed = try? SealedMessage(encoded: file) {
      self.sealed[Hash(of: file)] = sealed
    } else if let stamp = try? EvidenceTimestamp(encoded: file) {
      timestamps[file] = stamp
      guard timestamps.count <= Self.timestampsMax else { throw .tooManyFiles }
    } else if let token = try? Token(encoded: file) {
      tokens.insert(token)
    } else if let proof = GoodsChunkProof(encoded: file) {
      chunks[file] = proof
    } else if TlogProof.isText(file) {
      try take(proof: file)
    } else if file.count == 32 {
      seeds.insert(file)
    } else {
      return false
    }
    bytes += file.count
    guard bytes <= Self.bytesMax else { throw .tooManyBytes }
    return true
  }

  private mutating func take(proof: [UInt8]) throws(EvidenceError) {
    guard !proofs.contains(proof) else { return }
    guard proofs.count < Self.proofsMax else { throw .tooManyFiles }
    proofs.append(proof)
  }

  /// Takes a file that may be sealed goods.
  public mutating func add(goods source: any GoodsSource) throws(EvidenceError) {
    try countFile()
    goods.append(source)
    goods.sort { ($0.length, $0.name) < ($1.length, $1.name) }
  }

  private mutating func countFile() throws(EvidenceError) {
    files += 1
    guard files <= Self.filesMax else { throw .tooManyFiles }
  }

  /// Files a message under its type, and all that is inside it. A list instead of recursion: whoever makes
  /// evidence chooses how deep it nests.
  private mutating func take(_ message: [UInt8]) throws(EvidenceError) {
    var waiting = [message]
    while let next = waiting.popLast() {
      guard seen.insert(Hash(of: next)).inserted else { continue }
      guard seen.count <= Self.messagesMax else { throw .tooManyMessages }
      waiting += file(next)
    }
  }

  /// Files one message or container; returns what is inside it.
  private mutating func file(_ message: [UInt8]) -> [[UInt8]] {
    let outer = try? MessageType(peeking: message)
    func refuse(_ rule: String) -> SetAside {
      SetAside(what: outer?.label ?? "a byte string", message: Hash(of: message), reason: rule)
    }
    do throws(MessageError) {
      let inner = try MessageType.nestedMessages(in: message)
      guard let outer else { return inner }
      guard outer == .coSign else {
        messages[outer, default: []].append(message)
        return inner
      }
      // What stands inside a CoSign has too few signatures to count by itself.
      if let type = Self.cosigned(message) {
        messages[type, default: []].append(message)
      } else {
        setAside.insert(refuse("unexpected-type"))
      }
    } catch { setAside.insert(refuse(error.rule)) }
    return []
  }

  /// Which message several tokens signed.
  private static func cosigned(_ message: [UInt8]) -> MessageType? {
    func holds<P: SignedByTokens>(_: P.Type) -> Bool { (try? Unverified<P>(message)) != nil }
    if holds(P2.self) { return .p2 }
    if holds(E2.self) { return .e2 }
    if holds(JA2.self) { return .ja2 }
    if holds(JB2.self) { return .jb2 }
    if holds(R2.self) { return .r2 }
    return holds(X1.self) ? .x1 : nil
  }
}
