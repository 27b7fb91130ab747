// A real server on a free port, with a certificate of a local authority, and real clients.

import Foundation
import Logging
import Messages
import Testing

@testable import Services

/// One server for all tests; it serves to the end of the process.
private actor TestServer {
  static let shared = TestServer()

  static let content = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
  static let bodyBytesMax = 1000

  struct Running {
    let port: Int
    let caPEM: [UInt8]

    func url(_ path: String) -> String { "https://127.0.0.1:\(port)\(path)" }
  }

  private struct Secret: Error { let password = "swordfish" }

  private var starting: Task<Running, any Error>?

  func running() async throws -> Running {
    if let starting { return try await starting.value }
    let task = Task { try await Self.start() }
    starting = task
    return try await task.value
  }

  private static func routes(_ path: String) -> [Route] {
    [
      Route(method: "GET", path: "/hello/:name") { call in
        let text = "\(call.parameters["name"] ?? "") \(call.query["q"] ?? "")"
        return HTTPReply(status: 200, contentType: "text/plain", body: .bytes(Array(text.utf8)))
      },
      Route(method: "POST", path: "/echo") { call in
        HTTPReply(status: 200, contentType: "application/cbor", body: .bytes(call.body))
      },
      Route(method: "PUT", path: "/sum", streams: true) { call in
        var (blocks, hasher) = (0, BulkHasher())
        try await call.eachBlock? {
          blocks += 1
          hasher.update($0)
        }
        let text = "\(blocks > 1) \(hasher.finish())"
        return HTTPReply(status: 200, contentType: "text/plain", body: .bytes(Array(text.utf8)))
      },
      Route(method: "GET", path: "/fails") { _ in throw Secret() },
      Route(method: "GET", path: "/problem") { _ in throw Problem.notFound("no such thing") },
      Route(method: "GET", path: "/file") { call in
        try .file(path: path, contentType: "application/octet-stream", call: call)
      },
      Route(method: "GET", path: "/deaf") { call in
        var deaf = call
        deaf.range = nil
        return try .file(path: path, contentType: "application/octet-stream", call: deaf)
      },
    ]
  }

  private static func start() async throws -> Running {
    let directory = try temporaryDirectory()
    try LocalAuthority.loadOrCreate(directory).issue("test", host: "127.0.0.1", into: directory)
    try directory.write("goods", content)
    let ports = AsyncThrowingStream.makeStream(of: Int.self)
    Task.detached {
      do {
        try await serve(
          routes(directory.file("goods")),
          configuration: HTTPServerConfiguration(
            host: "127.0.0.1", port: 0, certificatePath: directory.file("tls/cert.pem"),
            keyPath: directory.file("tls/key.pem"), bodyBytesMax: bodyBytesMax),
          logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
          onReady: { ports.continuation.yield($0) },
          background: { try? await Task.sleep(for: .seconds(100_000)) })
        ports.continuation.finish()
      } catch { ports.continuation.finish(throwing: error) }
    }
    for try await port in ports.stream {
      return Running(port: port, caPEM: try directory.read("tls/ca.pem"))
    }
    throw ServiceError.configuration("the test server ended before it was ready")
  }
}

/// A client that trusts the server's authority, for one test.
private func withClient<R>(
  _ body: (Transport, TestServer.Running) async throws -> R
) async throws -> R {
  let server = try await TestServer.shared.running()
  let transport = try Transport(caPEM: server.caPEM)
  do {
    let result = try await body(transport, server)
    try await transport.shutdown()
    return result
  } catch {
    try await transport.shutdown()
    throw error
  }
}

private func members(_ reply: TransportReply) throws -> [String: Any] {
  let object = try JSONSerialization.jsonObject(with: Data(reply.body))
  return try #require(object as? [String: Any])
}

@Suite("HTTPS server", .timeLimit(.minutes(2)))
struct HTTPServerTests {
  @Test("a client that trusts the authority is answered, with path parameters and query")
  func answers() async throws {
    let reply = try await withClient { transport, server in
      try await transport.send("GET", url: server.url("/hello/ann?q=1"), body: nil, contentType: nil)
    }
    #expect(reply.status == 200 && reply.contentType == "text/plain")
    #expect(String(decoding: reply.body, as: UTF8.self) == "ann 1")
  }

  @Test("a client that trusts another authority does not talk to the server")
  func otherAuthority() async throws {
    let server = try await TestServer.shared.running()
    let error = await #expect(throws: TransportError.self) {
      try await idleTransport.send("GET", url: server.url("/hello/ann"), body: nil, contentType: nil)
    }
    guard case .unreachable(_, let reason)? = error else {
      Issue.record("unexpected: \(String(describing: error))")
      return
    }
    #expect(reason.contains("CERTIFICATE_VERIFY_FAILED"), "it failed for another reason: \(reason)")
  }

  @Test("an address without TLS is refused before anything is sent", arguments: ["send", "download"])
  func plainHTTP(_ way: String) async throws {
    try await withClient { transport, server in
      let url = "http://127.0.0.1:\(server.port)/hello/ann"
      let error = await #expect(throws: TransportError.self) {
        if way == "send" {
          _ = try await transport.send("GET", url: url, body: nil, contentType: nil)
        } else {
          _ = try await transport.download(url: url, from: 0) { _ in }
        }
      }
      #expect(
        error == .unreachable(host: url, reason: "its address does not begin with https://"))
    }
  }

  @Test("a body of the greatest length is taken, a longer one is a problem 413")
  func bodyLimit() async throws {
    try await withClient { transport, server in
      let most = [UInt8](repeating: 7, count: TestServer.bodyBytesMax)
      let echo = try await transport.send(
        "POST", url: server.url("/echo"), body: most, contentType: "application/cbor")
      #expect(echo.status == 200 && echo.body == most)
      let reply = try await transport.send(
        "POST", url: server.url("/echo"), body: most + [7], contentType: "application/cbor")
      #expect(reply.status == 413 && reply.contentType == "application/problem+json")
      let members = try members(reply)
      #expect(members["status"] as? Int == 413 && members["code"] as? String == "too-large")
    }
  }

  @Test("an unforeseen error is a problem 500 that tells nothing of the inside")
  func unknownError() async throws {
    let reply = try await withClient { transport, server in
      try await transport.send("GET", url: server.url("/fails"), body: nil, contentType: nil)
    }
    #expect(reply.status == 500 && reply.contentType == "application/problem+json")
    #expect(reply.body == Problem.internal.json)
    let text = String(decoding: reply.body, as: UTF8.self)
    #expect(!text.contains("swordfish") && !text.contains("Secret"))
  }

  @Test("a path that nothing is served at is a problem 404", arguments: ["GET", "PUT"])
  func unknownPath(_ method: String) async throws {
    let reply = try await withClient { transport, server in
      try await transport.send(method, url: server.url("/nowhere"), body: nil, contentType: nil)
    }
    #expect(reply.status == 404 && reply.contentType == "application/problem+json")
    #expect(try members(reply)["detail"] as? String == "nothing is served at /nowhere by \(method)")
  }

  @Test("a problem that a route throws arrives with its status")
  func problem() async throws {
    let reply = try await withClient { transport, server in
      try await transport.send("GET", url: server.url("/problem"), body: nil, contentType: nil)
    }
    #expect(reply.status == 404)
    #expect(try members(reply)["detail"] as? String == "no such thing")
  }
}

@Suite("Goods over HTTPS", .timeLimit(.minutes(2)))
struct GoodsTransferTests {
  private func download(_ path: String, from offset: UInt64) async throws -> (status: Int, body: [UInt8]) {
    try await withClient { transport, server in
      var body: [UInt8] = []
      let status = try await transport.download(url: server.url(path), from: offset) { body += $0 }
      return (status, body)
    }
  }

  /// Without the two values in the report: telling what differs in long bytes takes minutes.
  private func expectSame(_ body: [UInt8], _ content: ArraySlice<UInt8>) {
    let isSame = body[...] == content
    #expect(isSame, "\(body.count) bytes arrived instead of \(content.count), or others")
  }

  @Test("a file arrives whole")
  func whole() async throws {
    let (status, body) = try await download("/file", from: 0)
    #expect(status == 200)
    expectSame(body, TestServer.content[...])
  }

  @Test("a download is taken up at an offset with 206", arguments: [1, 262_144, 699_999])
  func range(_ offset: Int) async throws {
    let (status, body) = try await download("/file", from: UInt64(offset))
    #expect(status == 206)
    expectSame(body, TestServer.content[offset...])
  }

  @Test("from a server that ignores ranges, only what is missing is handed on", arguments: [1, 300_000])
  func deafServer(_ offset: Int) async throws {
    let (status, body) = try await download("/deaf", from: UInt64(offset))
    #expect(status == 200)
    expectSame(body, TestServer.content[offset...])
  }

  @Test(
    "a file of any length is sent from an offset on, in blocks", arguments: [0, 1, 262_144, 699_999, 700_000])
  func upload(_ offset: Int) async throws {
    let file = try temporaryDirectory()
    try file.write("goods", TestServer.content)
    let reply = try await withClient { transport, server in
      try await transport.upload(file.file("goods"), from: UInt64(offset), to: server.url("/sum"))
    }
    let rest = Array(TestServer.content[offset...])
    let text = String(decoding: reply.body, as: UTF8.self)
    #expect(text == "\(rest.count > 300_000) \(Hash(of: rest))" || rest.count < 300_000)
    #expect(text.hasSuffix("\(Hash(of: rest))"))
  }

  @Test("an offset at the end of the file is a 416 without any block")
  func beyond() async throws {
    let (status, body) = try await download("/file", from: UInt64(TestServer.content.count))
    #expect(status == 416)
    #expect(body.isEmpty)
  }
}
