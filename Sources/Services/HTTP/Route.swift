// What a party serves, without a word of the HTTP library: routes, calls, replies and problems.

import Foundation

/// One request.
struct HTTPCall: Sendable {
  var parameters: [String: String]
  var query: [String: String]
  /// The Range header, if any.
  var range: String?
  var body: [UInt8]
  /// The address that it came from, without the port; quotas are counted by it, and nothing else relies on
  /// it.
  var client = ""
  /// Lends the body block by block, where the route takes it so; then `body` is empty.
  var eachBlock: (@Sendable (_ take: (UnsafeRawBufferPointer) throws -> Void) async throws -> Void)?
}

/// One answer.
struct HTTPReply: Sendable {
  enum Body: Sendable {
    case bytes([UInt8])
    /// Part of a file, streamed in constant memory.
    case file(path: String, offset: UInt64, length: UInt64)
  }

  var status: Int
  var contentType: String
  var body: Body
  var headers: [(String, String)] = []

  /// A file, whole or the one range that the call asks for.
  static func file(path: String, contentType: String, call: HTTPCall) throws -> HTTPReply {
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64 ?? 0
    guard let range = call.range else {
      return HTTPReply(
        status: 200, contentType: contentType, body: .file(path: path, offset: 0, length: size),
        headers: [("accept-ranges", "bytes")])
    }
    guard let (first, last) = byteRange(range, size: size) else {
      throw Problem(
        status: 416, code: "range", title: "Range not satisfiable",
        detail: "The file has \(size) bytes.", money: "safe: nothing was changed",
        next: "Ask for bytes it has.")
    }
    return HTTPReply(
      status: 206, contentType: contentType, body: .file(path: path, offset: first, length: last - first + 1),
      headers: [("accept-ranges", "bytes"), ("content-range", "bytes \(first)-\(last)/\(size)")])
  }

  /// Reads "bytes=FIRST-[LAST]" (RFC 9110 s. 14.1.2); nil if it is none or outside the file.
  static func byteRange(_ header: String, size: UInt64) -> (first: UInt64, last: UInt64)? {
    guard header.hasPrefix("bytes=") else { return nil }
    let parts = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = UInt64(parts[0]), first < size else { return nil }
    if parts[1].isEmpty { return (first, size - 1) }
    guard let last = UInt64(parts[1]), last >= first else { return nil }
    return (first, min(last, size - 1))
  }
}

/// A route: "/v1/goods/:n".
struct Route: Sendable {
  let method: String
  let path: String
  /// The body has any length, and the handler takes it in blocks.
  let streams: Bool
  let handler: @Sendable (HTTPCall) async throws -> HTTPReply

  init(
    method: String, path: String, streams: Bool = false,
    handler: @escaping @Sendable (HTTPCall) async throws -> HTTPReply
  ) {
    (self.method, self.path, self.streams, self.handler) = (method, path, streams, handler)
  }
}

/// An error that a peer or person is told (RFC 9457): what, whether money is safe, what to do.
struct Problem: Error, Equatable {
  var status: Int
  var code: String
  var title: String
  var detail: String
  /// "safe: …": what became of money.
  var money: String
  var next: String

  /// application/problem+json.
  var json: [UInt8] {
    struct Members: Encodable {
      let type = "about:blank"
      let title: String, status: Int, detail: String, code: String, money: String, next: String
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let members = Members(
      title: title, status: status, detail: detail, code: code, money: money, next: next)
    return Array((try? encoder.encode(members)) ?? Data())
  }

  /// Something of ours went wrong; details go to the log, not to the peer.
  static let `internal` = Problem(
    status: 500, code: "internal", title: "Internal error", detail: "The request was not processed.",
    money: "safe: nothing was changed", next: "Send the same bytes again later.")
}
