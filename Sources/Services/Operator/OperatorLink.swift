// The operator's side: opens the store if it is free, and otherwise asks the process that holds it.

import AsyncHTTPClient
import Foundation
import NIOCore
import Storage

/// The way to a party of this role: found at the first task, kept for the next ones.
actor OperatorLink<Desk: OperatorDesk> {
  private enum Way: Sendable {
    case direct(Desk)
    case channel(ControlClient)
  }

  private let directory: DataDirectory
  private let config: PartyConfig
  private let patience: Duration
  private var finding: Task<Way, any Error>?

  /// - Parameter patience: how long to wait for a store that is held by a process that does not answer:
  ///   one that starts or stops, or another operator's command.
  /// - Throws: `ServiceError.configuration` when the directory holds no such party.
  init(_ directory: DataDirectory, patience: Duration = .seconds(10)) throws {
    config = try directory.config()
    guard config.role == Desk.role.name else {
      throw ServiceError.configuration("\(directory.path) is a \(config.role), not a \(Desk.role.name)")
    }
    (self.directory, self.patience) = (directory, patience)
  }

  /// Carries a task out, one way or the other.
  func carryOut<Job: OperatorTask>(_ task: Job) async throws -> Job.Answer where Job.Desk == Desk {
    switch try await way() {
    case .direct(let desk): return try await task.done(at: desk)
    case .channel(let client): return try await client.carryOut(task)
    }
  }

  /// Closes the store, if this process has opened it.
  func close() async throws {
    guard let found = try? await finding?.value, case .direct(let desk) = found else { return }
    try await desk.store.close()
  }

  private func way() async throws -> Way {
    if let finding { return try await finding.value }
    let (directory, config, patience) = (directory, config, patience)
    let task = Task { try await Self.find(directory, config, patience) }
    finding = task
    return try await task.value
  }

  private static func find(
    _ directory: DataDirectory, _ config: PartyConfig, _ patience: Duration
  ) async throws -> Way {
    let end = ContinuousClock.now + patience
    var found = try await attempt(directory, config)
    while found == nil && ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(50))
      found = try await attempt(directory, config)
    }
    guard let found else {
      throw ServiceError.configuration(
        "\(directory.path) is in use by a process that does not answer at \(ControlSocket.name)")
    }
    return found
  }

  private static func attempt(_ directory: DataDirectory, _ config: PartyConfig) async throws -> Way? {
    if let store = try openStore(directory) { return .direct(Desk(store, directory, config)) }
    let client = ControlClient(directory)
    return await client.answers(for: config.role) ? .channel(client) : nil
  }

  /// The store, or nil while another process has it.
  private static func openStore(_ directory: DataDirectory) throws -> SQLiteStore? {
    do { return try SQLiteStore(path: directory.file("store.sqlite")) } catch StorageError.inUse {
      return nil
    }
  }
}

/// Speaks with a running party over its control socket.
struct ControlClient: Sendable {
  private static let answerBytesMax = 16 << 20

  private let directory: DataDirectory

  init(_ directory: DataDirectory) { self.directory = directory }

  /// Whether a party of this role listens.
  func answers(for role: String) async -> Bool {
    let reply = try? await send("GET", operatorPath, body: nil, timeout: .seconds(5))
    return reply?.status == 200 && reply?.body == Array(role.utf8)
  }

  /// Has a task carried out. What the task throws there is thrown here.
  func carryOut<Job: OperatorTask>(_ task: Job) async throws -> Job.Answer {
    let body = Array(try JSONEncoder().encode(task))
    let reply: (status: Int, body: [UInt8])
    do { reply = try await send("POST", Job.path, body: body, timeout: .minutes(10)) } catch {
      throw ServiceError.unreachable(
        "the running \(Job.Desk.role.name) gave no answer, and it may have done this or not: \(error)")
    }
    let data = Data(reply.body)
    switch reply.status {
    case 200: return try JSONDecoder().decode(Job.Answer.self, from: data)
    case 422: throw try JSONDecoder().decode(ServiceError.self, from: data)
    default:
      throw ServiceError.protocolViolation(
        "the running \(Job.Desk.role.name) answered HTTP \(reply.status): is it of another version?")
    }
  }

  /// One request on a connection of its own.
  func send(
    _ method: String, _ path: String, body: [UInt8]?, timeout: TimeAmount
  ) async throws -> (status: Int, body: [UInt8]) {
    let socket = try ControlSocket(directory)
    guard let url = URL(httpURLWithSocketPath: socket.address, uri: path) else {
      throw ServiceError.file(path: socket.address, reason: "is no address")
    }
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let result = await Self.result {
      var request = HTTPClientRequest(url: url.absoluteString)
      request.method = .init(rawValue: method)
      if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
      let response = try await client.execute(request, timeout: timeout)
      let collected = try await response.body.collect(upTo: Self.answerBytesMax)
      return (status: Int(response.status.code), body: Array(collected.readableBytesView))
    }
    try await client.shutdown()
    withExtendedLifetime(socket) {}
    return try result.get()
  }

  private static func result<T>(_ body: () async throws -> T) async -> Result<T, any Error> {
    do { return .success(try await body()) } catch { return .failure(error) }
  }
}
