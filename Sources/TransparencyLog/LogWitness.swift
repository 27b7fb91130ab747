// A witness of logs: C2SP tlog-witness without HTTP. It remembers one head of each log, and cosigns only
// what extends it.
//
// Invariants: what it answers `cosign` for has been stored before the cosignature leaves, in the step that
// compared the old head, or not at all: whoever carries it out makes sure of that (the race in
// tlog-witness). It never goes back to a smaller head.

public import Messages

/// The body of `POST add-checkpoint`.
public struct AddCheckpoint: Equatable, Sendable {
  /// The size of the head that the sender believes the witness to have.
  public let old: UInt64
  /// The proof that the new head extends the old one.
  public let path: [Hash]
  /// The signed checkpoint.
  public let note: [UInt8]

  /// Most hashes of a proof.
  public static let pathMax = 63

  public init(old: UInt64, path: [Hash], note: [UInt8]) {
    (self.old, self.path, self.note) = (old, path, note)
  }

  /// Reads a body; nil for anything else.
  public init?(body: [UInt8]) {
    guard let end = body.indices.dropLast().first(where: { body[$0] == 10 && body[$0 + 1] == 10 }) else {
      return nil
    }
    let lines = body[..<end].split(separator: 10, omittingEmptySubsequences: false)
    let first = String(decoding: lines[0], as: UTF8.self)
    guard first.hasPrefix("old "), let old = UInt64(first.dropFirst(4)), first == "old \(old)",
      lines.count <= 1 + Self.pathMax
    else { return nil }
    var path: [Hash] = []
    for line in lines.dropFirst() {
      guard let hash = Base64.decode(line).flatMap({ Hash($0) }) else { return nil }
      path.append(hash)
    }
    self.init(old: old, path: path, note: Array(body[(end + 2)...]))
  }

  /// The body.
  public var body: [UInt8] {
    Array("old \(old)\n".utf8) + path.flatMap { Base64.encode($0.bytes) + [10] } + [10] + note
  }
}

/// What a witness does about a checkpoint.
public enum WitnessAnswer: Equatable, Sendable {
  /// Store the head, then cosign this text: 200.
  case cosign(LogHead, text: [UInt8])
  /// No request: 400.
  case malformed
  /// The log has not signed it: 403.
  case forbidden
  /// Not one of the logs: 404.
  case unknownLog
  /// The witness has another head than the sender believes, of this size: 409.
  case conflict(UInt64)
  /// It does not extend what the witness has seen: 422. Signed by the log, it may convict it.
  case inconsistent

  /// The HTTP status.
  public var status: Int {
    switch self {
    case .cosign: 200
    case .malformed: 400
    case .forbidden: 403
    case .unknownLog: 404
    case .conflict: 409
    case .inconsistent: 422
    }
  }
}

/// The rules of a witness.
public struct LogWitness: Sendable {
  private let logs: [String: NoteKey]

  /// Which logs it watches: their keys' names are the origins.
  public init(logs: [NoteKey]) {
    self.logs = Dictionary(logs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The origin that a request is about, if it is one of the logs.
  public func origin(of request: AddCheckpoint) -> String? {
    let line = String(decoding: request.note.prefix { $0 != 10 }, as: UTF8.self)
    return logs[line] == nil ? nil : line
  }

  /// Decides about a body; `known` gives the head that the witness has stored of a log.
  public func answer(_ body: [UInt8], known: (String) throws -> LogHead?) rethrows -> WitnessAnswer {
    guard let request = AddCheckpoint(body: body) else { return .malformed }
    guard let origin = origin(of: request), let key = logs[origin] else { return .unknownLog }
    guard let text = try? key.verified(request.note).text else { return .forbidden }
    guard let checkpoint = try? Checkpoint(text: text) else {
      // A tree without leaves has one root; for another the specification has a status of its own.
      return text.split(separator: 10, omittingEmptySubsequences: false).dropFirst().first == [48]
        ? .inconsistent : .malformed
    }
    guard request.old <= checkpoint.size else { return .malformed }
    let head = try known(origin) ?? .empty
    guard request.old == head.size else { return .conflict(head.size) }
    let new = LogHead(size: checkpoint.size, root: checkpoint.root)
    return Self.extends(head, new, request.path) ? .cosign(new, text: text) : .inconsistent
  }

  private static func extends(_ head: LogHead, _ new: LogHead, _ path: [Hash]) -> Bool {
    if head.size == 0 { return path.isEmpty }
    return TreeHash.isConsistent(head.size, head.root, with: new.size, new.root, path: path)
  }
}
