// Serving routes over TLS on Hummingbird: bounded bodies, files in constant memory, problems as
// problem+json, graceful stop on SIGTERM and SIGINT.

import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle

/// Where and how to listen.
struct HTTPServerConfiguration: Sendable {
  var host: String
  /// 0 takes a free port.
  var port: Int
  var certificatePath: String
  var keyPath: String
  /// The largest request: a bundle of the largest messages.
  var bodyBytesMax = 256 * 1024
  /// Connections beyond this many wait to be accepted.
  var connectionsMax = 1024
}

/// Serves until the process is told to stop; `background` runs beside it and is cancelled then.
func serve(
  _ routes: [Route], configuration: HTTPServerConfiguration, logger: Logger,
  onReady: @escaping @Sendable (_ port: Int) async -> Void, background: @escaping @Sendable () async -> Void
) async throws {
  var tls = TLSConfiguration.makeServerConfiguration(
    certificateChain: try NIOSSLCertificate.fromPEMFile(configuration.certificatePath).map {
      .certificate($0)
    },
    privateKey: .privateKey(try NIOSSLPrivateKey(file: configuration.keyPath, format: .pem)))
  tls.minimumTLSVersion = .tlsv13
  let application = Application(
    router: router(for: routes, bodyBytesMax: configuration.bodyBytesMax, logger: logger),
    server: try .tls(.http1(configuration: .init(idleTimeout: .seconds(60))), tlsConfiguration: tls),
    configuration: .init(
      address: .hostname(configuration.host, port: configuration.port), reuseAddress: true,
      availableConnectionsDelegate: .maximum(configuration.connectionsMax, logger: logger)),
    onServerRunning: { channel in await onReady(channel.localAddress?.port ?? configuration.port) },
    logger: logger)
  let ended = AsyncStream.makeStream(of: Void.self)
  let group = ServiceGroupConfiguration(
    services: [
      .init(service: application, successTerminationBehavior: .gracefullyShutdownGroup),
      .init(
        service: Background {
          await background()
          ended.continuation.finish()
        }),
    ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
  let running = Task { try await ServiceGroup(configuration: group).run() }
  // The background work ends when the process is told to stop. Clients that keep their connections do not
  // keep the service then: requests under way get a second, and whatever was acknowledged is durable
  // already.
  Task {
    _ = await running.result
    ended.continuation.finish()
  }
  for await _ in ended.stream {}
  try await settle(running)
}

/// What is known of a request beside its head and body: the address that it came from.
struct PartyContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let client: String

  init(source: Source) {
    coreContext = .init(source: source)
    client = source.channel.remoteAddress?.ipAddress ?? ""
  }
}

/// The routes with bounded bodies, and problems for what they throw.
func router(for routes: [Route], bodyBytesMax: Int, logger: Logger) -> Router<PartyContext> {
  let router = Router(context: PartyContext.self)
  router.add(middleware: NothingThere())
  for route in routes {
    router.on(RouterPath(route.path), method: HTTPRequest.Method(rawValue: route.method)!) {
      request, context in
      await respond(to: request, context, route, bodyBytesMax: bodyBytesMax, logger: logger)
    }
  }
  return router
}

/// A path that nothing is served at is a problem like any other.
private struct NothingThere: RouterMiddleware {
  func handle(
    _ request: Request, context: PartyContext,
    next: (Request, PartyContext) async throws -> Response
  ) async throws -> Response {
    do { return try await next(request, context) } catch let error as any HTTPResponseError {
      guard error.status == .notFound else { throw error }
      return response(to: Problem.notFound("nothing is served at \(request.uri.path) by \(request.method)"))
    }
  }
}

/// Waits for the server's end, but not longer than a second; an error that ended it is thrown.
private func settle(_ running: Task<Void, any Error>) async throws {
  let result = AsyncStream.makeStream(of: Result<Void, any Error>.self)
  Task { result.continuation.yield(await running.result) }
  Task {
    try? await Task.sleep(for: .seconds(1))
    result.continuation.finish()
  }
  for await outcome in result.stream {
    try outcome.get()
    return
  }
}

/// Work that runs beside the server.
private struct Background: Service {
  let body: @Sendable () async -> Void

  func run() async throws { await cancelWhenGracefulShutdown { await body() } }
}

private func respond(
  to request: Request, _ context: PartyContext, _ route: Route, bodyBytesMax: Int, logger: Logger
) async -> Response {
  do {
    var parameters: [String: String] = [:]
    for (key, value) in context.parameters { parameters[String(key)] = String(value) }
    var query: [String: String] = [:]
    for (key, value) in request.uri.queryParameters { query[String(key)] = String(value) }
    var call = HTTPCall(
      parameters: parameters, query: query, range: request.headers[.range], body: [], client: context.client)
    if route.streams {
      let body = request.body
      call.eachBlock = { take in
        for try await block in body { try block.withUnsafeReadableBytes(take) }
      }
    } else {
      call.body = try await collected(request.body, upTo: bodyBytesMax)
    }
    return response(try await route.handler(call))
  } catch {
    let problem = Problem(of: error)
    if problem.status == 500 {
      logger.error("a request failed", metadata: ["path": "\(route.path)", "error": "\(type(of: error))"])
    }
    return response(to: problem)
  }
}

private func collected(_ body: RequestBody, upTo bytesMax: Int) async throws -> [UInt8] {
  do { return Array(try await body.collect(upTo: bytesMax).readableBytesView) } catch {
    throw Problem(
      status: 413, code: "too-large", title: "Too large",
      detail: "A request has at most \(bytesMax) bytes.",
      money: "safe: nothing was changed", next: "Send less.")
  }
}

private func response(to problem: Problem) -> Response {
  response(
    HTTPReply(status: problem.status, contentType: "application/problem+json", body: .bytes(problem.json)))
}

private func response(_ reply: HTTPReply) -> Response {
  var headers: HTTPFields = [.contentType: reply.contentType]
  for (name, value) in reply.headers {
    if let field = HTTPField.Name(name) { headers[field] = value }
  }
  let status = HTTPResponse.Status(code: reply.status)
  switch reply.body {
  case .bytes(let bytes):
    return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  case .file(let path, let offset, let length):
    return Response(
      status: status, headers: headers,
      body: ResponseBody(contentLength: Int(length)) { writer in
        try await stream(path, offset, length, to: &writer)
        try await writer.finish(nil)
      })
  }
}

/// Writes part of a file, a block at a time: the writer's back-pressure bounds the memory.
private func stream(
  _ path: String, _ offset: UInt64, _ length: UInt64, to writer: inout any ResponseBodyWriter
) async throws {
  guard let file = FileHandle(forReadingAtPath: path) else { throw Problem.notFound("the file is gone") }
  defer { try? file.close() }
  try file.seek(toOffset: offset)
  var rest = length
  while rest > 0 {
    guard let block = try file.read(upToCount: Int(min(rest, 256 * 1024))), !block.isEmpty else {
      throw Problem.internal
    }
    rest -= UInt64(block.count)
    try await writer.write(ByteBuffer(bytes: block))
  }
}
