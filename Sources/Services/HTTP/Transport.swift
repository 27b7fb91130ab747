// The way to peers: HTTPS that trusts exactly the local authority, through an anonymizer if the user has
// one. With socks5h, names are resolved at the proxy, so the wallet asks no name server.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Why a peer could not be asked. Never carries a body.
enum TransportError: Error, Equatable, CustomStringConvertible {
  case badProxy(String)
  case unreachable(host: String, reason: String)
  case tooLarge(host: String)
  case cut(host: String)

  var description: String {
    switch self {
    case .badProxy(let text): "\(text) is no proxy: write socks5h://HOST:PORT"
    case .unreachable(let host, let reason):
      "\(host) cannot be reached (\(reason)); nothing was lost, the same message is sent again on `resume`"
    case .tooLarge(let host): "\(host) sent more than a message can be"
    case .cut(let host): "\(host) cut the connection; go on with `resume`"
    }
  }
}

/// An answer.
struct TransportReply: Sendable {
  let status: Int
  let contentType: String
  let body: [UInt8]
}

/// The way to all peers.
protocol PeerLink: Sendable {
  /// Sends one request and collects the answer.
  func send(
    _ method: String, url: String, body: [UInt8]?, contentType: String?
  ) async throws -> TransportReply
  /// Fetches from `offset` to the end, or to `last` with it, a block at a time; returns the HTTP status.
  func download(
    url: String, from offset: UInt64, to last: UInt64?, onBlock: (UnsafeRawBufferPointer) throws -> Void
  ) async throws -> Int
  /// Sends a file from `offset` to its end with PUT.
  func upload(_ path: String, from offset: UInt64, to url: String) async throws -> TransportReply
  /// Ends all connections.
  func shutdown() async throws
}

extension PeerLink {
  func download(
    url: String, from offset: UInt64, onBlock: (UnsafeRawBufferPointer) throws -> Void
  ) async throws -> Int {
    try await download(url: url, from: offset, to: nil, onBlock: onBlock)
  }
}

/// Whom a client talks to.
enum TransportReach: Sendable {
  /// Parties: TLS by the local authority's certificates.
  case parties
  /// Whoever signs its answers and hears no secret, such as a timestamp authority: by any certificate that
  /// this machine trusts, or in the clear. Answers are short.
  case strangers

  fileprivate var answerBytesMax: Int { self == .parties ? 4 << 20 : 16 << 10 }
  fileprivate var seconds: Int64 { self == .parties ? 120 : 30 }
}

/// A client for one party. Shut it down before it is let go.
final class Transport: PeerLink {
  private let client: HTTPClient
  private let proxied: Bool
  private let reach: TransportReach

  /// Trusts the certificates in `caPEM`. `proxy`: "socks5h://HOST:PORT".
  init(caPEM: [UInt8], proxy: String? = nil, reach: TransportReach = .parties) throws {
    self.reach = reach
    var configuration = HTTPClient.Configuration()
    var tls = TLSConfiguration.makeClientConfiguration()
    let own = try NIOSSLCertificate.fromPEMBytes(caPEM)
    switch reach {
    case .parties:
      tls.minimumTLSVersion = .tlsv13
      tls.trustRoots = .certificates(own)
    case .strangers:
      tls.minimumTLSVersion = .tlsv12
      tls.additionalTrustRoots = [.certificates(own)]
    }
    configuration.tlsConfiguration = tls
    configuration.timeout = .init(connect: .seconds(10), read: .seconds(min(60, reach.seconds)))
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    proxied = proxy != nil
    if let proxy {
      let (host, port) = try Self.parse(proxy)
      configuration.proxy = .socksServer(host: host, port: port)
    }
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Reads "socks5h://HOST:PORT" (or socks5://, which is treated alike: names never resolve here).
  static func parse(_ proxy: String) throws -> (host: String, port: Int) {
    guard let url = URLComponents(string: proxy), ["socks5h", "socks5"].contains(url.scheme ?? ""),
      let host = url.host, !host.isEmpty, let port = url.port, url.user == nil, url.path.isEmpty
    else { throw TransportError.badProxy(proxy) }
    return (host, port)
  }

  /// Sends one request and collects the answer: at most 4 MiB, of strangers 16 KiB.
  func send(
    _ method: String, url: String, body: [UInt8]?, contentType: String?
  ) async throws -> TransportReply {
    try checkAddress(url)
    var request = HTTPClientRequest(url: url)
    request.method = HTTPMethod(rawValue: method)
    if let contentType { request.headers.add(name: "content-type", value: contentType) }
    if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
    let host = URLComponents(string: url).map { "\($0.host ?? "?"):\($0.port ?? 443)" } ?? url
    do {
      let response = try await client.execute(request, timeout: .seconds(reach.seconds))
      let collected = try await response.body.collect(upTo: reach.answerBytesMax)
      return TransportReply(
        status: Int(response.status.code), contentType: response.headers.first(name: "content-type") ?? "",
        body: Array(collected.readableBytesView))
    } catch is NIOTooManyBytesError {
      throw TransportError.tooLarge(host: host)
    } catch {
      throw TransportError.unreachable(host: host, reason: "\(error)")
    }
  }

  /// Fetches from `offset` to the end, or to `last` with it, a block at a time, in constant memory.
  /// - Returns: the HTTP status; blocks come only with 200 and 206.
  func download(
    url: String, from offset: UInt64, to last: UInt64?, onBlock: (UnsafeRawBufferPointer) throws -> Void
  ) async throws -> Int {
    try checkAddress(url)
    var request = HTTPClientRequest(url: url)
    if offset > 0 || last != nil {
      request.headers.add(name: "range", value: "bytes=\(offset)-\(last.map { "\($0)" } ?? "")")
    }
    let host = URLComponents(string: url)?.host ?? url
    let response: HTTPClientResponse
    do { response = try await client.execute(request, timeout: .hours(24)) } catch {
      throw TransportError.unreachable(host: host, reason: "\(error)")
    }
    guard [200, 206].contains(response.status.code) else {
      return Int(response.status.code)
    }
    // A server that ignores the range sends all: what is there already is passed over.
    var skip = response.status.code == 200 ? offset : 0
    do {
      for try await block in response.body {
        let passed = Int(min(skip, UInt64(block.readableBytes)))
        skip -= UInt64(passed)
        try block.withUnsafeReadableBytes { try onBlock(UnsafeRawBufferPointer(rebasing: $0[passed...])) }
      }
    } catch let error as HTTPClientError {
      throw TransportError.unreachable(host: host, reason: "\(error)")
    }
    return Int(response.status.code)
  }

  /// Sends a file from `offset` to its end with PUT, a block at a time, in constant memory.
  func upload(_ path: String, from offset: UInt64, to url: String) async throws -> TransportReply {
    try checkAddress(url)
    let file = try RawFile(reading: path)
    let end = try file.size()
    var request = HTTPClientRequest(url: url)
    request.method = .PUT
    request.headers.add(name: "content-type", value: "application/octet-stream")
    let rest = end - min(offset, end)
    request.body = .stream(FileBlocks(file: file, offset: offset, end: end), length: .known(Int64(rest)))
    let host = URLComponents(string: url)?.host ?? url
    do {
      let response = try await client.execute(request, timeout: .hours(24))
      let collected = try await response.body.collect(upTo: reach.answerBytesMax)
      return TransportReply(
        status: Int(response.status.code), contentType: response.headers.first(name: "content-type") ?? "",
        body: Array(collected.readableBytesView))
    } catch { throw TransportError.unreachable(host: host, reason: "\(error)") }
  }

  /// Nothing goes to a party in the clear, whatever a trust list says.
  ///
  /// Through a proxy only names: for a bare IP address, TLS would compare the certificate with the
  /// proxy's address.
  private func checkAddress(_ url: String) throws {
    let address = url.lowercased()
    guard address.hasPrefix("https://") || reach == .strangers && address.hasPrefix("http://"),
      let host = URLComponents(string: url)?.host
    else { throw TransportError.unreachable(host: url, reason: "its address does not begin with https://") }
    let isAddress = host.contains(":") || host.split(separator: ".").allSatisfy { UInt8($0) != nil }
    guard !proxied || !isAddress else {
      throw TransportError.unreachable(
        host: host, reason: "through a proxy a peer needs a name, not an address")
    }
  }

  /// Ends all connections.
  func shutdown() async throws { try await client.shutdown() }
}

/// A file's bytes from an offset on, in blocks.
private struct FileBlocks: AsyncSequence, AsyncIteratorProtocol, Sendable {
  private static let blockBytes: UInt64 = 256 * 1024
  let file: RawFile
  var offset: UInt64
  let end: UInt64

  func makeAsyncIterator() -> FileBlocks { self }

  mutating func next() async throws -> ByteBuffer? {
    guard offset < end else { return nil }
    let count = Int(Swift.min(Self.blockBytes, end - offset))
    var block = ByteBuffer()
    try block.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
      try file.read(UnsafeMutableRawBufferPointer(rebasing: room[..<count]), at: offset)
      return count
    }
    offset += UInt64(count)
    return block
  }
}
