// Where a reader gets a log: objects by their tlog-tiles names (C2SP). It believes none of them.

import TransparencyLog

/// The files of a log.
protocol LogFiles: Sendable {
  /// An object by its name; nil if it is not there.
  func object(_ path: String) async throws -> [UInt8]?
}

extension LogFiles {
  /// What a reader needs to go on from one size to another.
  func objects(from: UInt64, to: UInt64) async throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for wanted in LogNeeds.objects(from: from, to: to) {
      if let bytes = try await object(wanted.path) {
        found[wanted.path] = bytes
      } else if let full = wanted.full, let bytes = try await object(full) {
        found[full] = bytes
      }
    }
    return found
  }
}

/// A log's files over HTTP.
struct LogSource: LogFiles {
  let transport: any PeerLink
  let url: String

  func object(_ path: String) async throws -> [UInt8]? {
    let reply = try await transport.send("GET", url: "\(url)/\(path)", body: nil, contentType: nil)
    switch reply.status {
    case 200: return reply.body
    case 404: return nil
    default: throw ServiceError.unreachable("the log at \(url) answered HTTP \(reply.status)")
    }
  }
}
