// A party's data directory: everything that it has to keep. Secrets are files of mode 0600; writes are
// atomic.
//
//   config.json     role, name, address          identity.seed   the party's secret seed
//   trust.acd       the trust list in force      store.sqlite    all state
//   tls/            certificate and key          goods/          sealed goods (merchant), downloads (wallet)
//   control.sock    where the operator's commands reach the party while it runs

public import Foundation

/// What `init` wrote down for `serve`.
public struct PartyConfig: Codable, Equatable, Sendable {
  public var role: String
  public var name: String
  /// Address to listen at; port 0 takes a free one.
  public var host: String
  public var port: Int
  /// ISO 4217, for a bank.
  public var currency: String?
  /// Merchant: which banks and archives are accepted is what the trust list says; these are options.
  public var options: [String: String]

  public init(
    role: String, name: String, host: String = "127.0.0.1", port: Int = 0, currency: String? = nil,
    options: [String: String] = [:]
  ) {
    (self.role, self.name, self.host, self.port) = (role, name, host, port)
    (self.currency, self.options) = (currency, options)
  }
}

extension PartyConfig {
  /// Whether an archive is only a record.
  public var isPassive: Bool { options["passive"] != nil }
}

/// What went wrong outside the protocol: files, configuration, usage. Says where and what to do.
/// Codable, so that an operator's command reads the same whether the party runs or not.
public enum ServiceError: Error, Equatable, Codable, CustomStringConvertible, LocalizedError {
  case configuration(String)
  case file(path: String, reason: String)
  case refused(code: String, detail: String)
  case unreachable(String)
  case protocolViolation(String)
  case notFound(String)
  case insufficientFunds(String)

  public var description: String {
    switch self {
    case .configuration(let text), .unreachable(let text), .protocolViolation(let text),
      .notFound(let text), .insufficientFunds(let text):
      text
    case .file(let path, let reason): "\(path): \(reason)"
    case .refused(let code, let detail): "refused (\(code)): \(detail)"
    }
  }

  public var errorDescription: String? { description }
}

/// The directory.
public struct DataDirectory: Sendable {
  public let path: String

  public init(_ path: String) { self.path = path }

  public func url(_ name: String) -> URL { URL(fileURLWithPath: path).appendingPathComponent(name) }
  public func file(_ name: String) -> String { url(name).path }
  public func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

  /// Makes the directory, for its owner alone. No error if it is there.
  public func create() throws {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw ServiceError.file(path: path, reason: "cannot be created: \(error.localizedDescription)")
    }
  }

  /// Writes atomically.
  public func write(_ name: String, _ bytes: [UInt8]) throws {
    do {
      let target = url(name)
      try FileManager.default.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: target, options: .atomic)
    } catch {
      throw ServiceError.file(path: file(name), reason: "cannot be written: \(error.localizedDescription)")
    }
  }

  /// Writes a secret: never readable by others, not even for a moment.
  public func writeSecret(_ name: String, _ bytes: [UInt8]) throws {
    let target = file(name)
    let temporary = target + ".new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw ServiceError.file(path: target, reason: "cannot be created") }
    let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    let synced = fsync(descriptor)
    close(descriptor)
    guard written == bytes.count, synced == 0, rename(temporary, target) == 0 else {
      throw ServiceError.file(path: target, reason: "cannot be written")
    }
  }

  public func read(_ name: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: file(name)) else {
      throw ServiceError.file(path: file(name), reason: "is missing or cannot be read")
    }
    return Array(data)
  }

  public func readSecret(_ name: String, count: Int) throws -> [UInt8] {
    let bytes = try read(name)
    guard bytes.count == count else {
      throw ServiceError.file(
        path: file(name), reason: "is damaged: \(bytes.count) bytes instead of \(count)")
    }
    return bytes
  }

  public func config() throws -> PartyConfig {
    guard exists("config.json") else {
      throw ServiceError.configuration("\(path) holds no party yet: run its `init` first")
    }
    do { return try JSONDecoder().decode(PartyConfig.self, from: Data(try read("config.json"))) } catch let
      error
      as DecodingError
    {
      throw ServiceError.file(path: file("config.json"), reason: "is damaged: \(error.localizedDescription)")
    }
  }

  public func writeConfig(_ config: PartyConfig) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try write("config.json", Array(try encoder.encode(config)))
  }
}

extension DataDirectory {
  /// Makes a folder inside. No error if it is there.
  func createFolder(_ name: String) throws {
    do { try FileManager.default.createDirectory(at: url(name), withIntermediateDirectories: true) } catch {
      throw ServiceError.file(path: file(name), reason: "cannot be created")
    }
  }
}

/// Runs blocking work on a thread of its own, away from the tasks' pool.
func offTheLoop<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global(qos: .userInitiated).async { continuation.resume(with: Result { try body() }) }
  }
}
