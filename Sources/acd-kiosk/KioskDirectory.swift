// A kiosk's data directory: its key, its journal and the trust lists that are in force. All PCs of an
// office work on one directory, on a shared folder if need be.
//
//   identity.seed   32 bytes, for its owner alone     identity.json    the public card, for the authority
//   journal.acd     the journal                       trust/KEY.acd    a list, by its authority's key
//   ca.pem          whom `sync` talks to              clerks/NAME.seed who signs for a shift
//
// Invariants: files are replaced whole; what is written is durable before it is said to be.

internal import Messages
internal import PointOfDelivery

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Something about the kiosk's files or devices.
struct KioskError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }

  /// What the system says of its last failure, about `path`.
  static func system(_ what: String, _ path: String) -> KioskError {
    KioskError("\(what) \(path): \(String(cString: strerror(errno)))")
  }
}

/// The directory, opened.
struct KioskDirectory {
  let path: String

  static var standard: String {
    (getenv("HOME").map { String(cString: $0) } ?? "") + "/.acd/kiosk"
  }

  init(_ path: String?) { self.path = path ?? Self.standard }

  func file(_ name: String) -> String { path + "/" + name }

  func exists(_ name: String) -> Bool { access(file(name), F_OK) == 0 }

  /// Makes a kiosk here: its key is drawn, and its public card written.
  func create(name: String) throws -> PublicKey {
    guard !exists("identity.seed") else {
      throw KioskError("\(path) already is a kiosk's; nothing was changed. Use another --data-dir")
    }
    try makeFolders(path + "/trust")
    var generator = SystemRandomNumberGenerator()
    try replace("identity.seed", randomBytes(32, using: &generator), mode: 0o600)
    let key = try signing { $0.publicKey }
    let card = """
      {
        "key" : "\(key)",
        "name" : "\(Self.jsonText(name))",
        "role" : "kiosk",
        "url" : ""
      }

      """
    try replace("identity.json", Array(card.utf8), mode: 0o644)
    return key
  }

  private static func jsonText(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      scalar.value < 0x20 || scalar == "\"" || scalar == "\\" ? "_" : String(scalar)
    }.joined()
  }

  /// Lends the kiosk's key.
  func signing<R: ~Copyable, E: Error>(_ body: (borrowing SigningKey) throws(E) -> R) throws -> R {
    guard exists("identity.seed") else {
      throw KioskError("\(path) is no kiosk's directory: make one with `acd-kiosk init`")
    }
    var seed = try readBounded(.file(file("identity.seed")), limit: 33)
    guard seed.count == 32 else { throw KioskError("\(file("identity.seed")) is damaged") }
    let key = SigningKey(seed: &seed)
    return try body(key)
  }

  /// Lends a clerk's key; drawn when he first comes.
  func signing<R: ~Copyable, E: Error>(
    clerk: String, _ body: (borrowing SigningKey) throws(E) -> R
  ) throws -> R {
    let isName =
      !clerk.isEmpty && clerk.utf8.count <= 32
      && clerk.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    guard isName else { throw KioskError("a clerk's name at the counter is made of a to z, 0 to 9 and -") }
    try makeFolders(file("clerks"))
    let name = "clerks/\(clerk).seed"
    if !exists(name) {
      var generator = SystemRandomNumberGenerator()
      try replace(name, randomBytes(32, using: &generator), mode: 0o600)
    }
    var seed = try readBounded(.file(file(name)), limit: 33)
    guard seed.count == 32 else { throw KioskError("\(file(name)) is damaged") }
    let key = SigningKey(seed: &seed)
    return try body(key)
  }

  /// Writes a file whole: all of it is there afterwards, or the old one.
  func replace(_ name: String, _ bytes: [UInt8], mode: mode_t) throws {
    let target = file(name)
    let temporary = target + ".new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw KioskError.system("cannot write", temporary) }
    defer { close(descriptor) }
    try writeAll(descriptor, bytes, temporary)
    guard fsync(descriptor) == 0, rename(temporary, target) == 0 else {
      throw KioskError.system("cannot write", target)
    }
    try syncFolder(of: target)
  }

  // MARK: Trust lists

  /// The lists in force, by their authorities' keys.
  func trusts() throws -> [KioskTrust] {
    try listed().map { name in
      let bytes = try readBounded(.file(file("trust/" + name)), limit: ReceiptLimits.trustSizeMax + 1)
      let authority = PublicKey(hex: String(name.dropLast(4)))
      return KioskTrust(try LoadedTrust(bytes, authority: authority))
    }
  }

  private func listed() throws -> [String] {
    guard let folder = opendir(file("trust")) else { throw KioskError.system("cannot read", file("trust")) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".acd"), name.utf8.count == 68 { names.append(name) }
    }
    return names.sorted()
  }

  func put(_ trust: LoadedTrust) throws {
    try replace("trust/\(trust.authority).acd", trust.bytes, mode: 0o644)
  }

  func remove(_ authority: PublicKey) throws {
    guard unlink(file("trust/\(authority).acd")) == 0 else {
      throw KioskError.system("cannot remove", file("trust/\(authority).acd"))
    }
  }

  // MARK: The journal

  func journal(at now: Timestamp = currentTime()) throws -> Journal {
    let key = try signing { $0.publicKey }
    return try Journal(try FileJournal(file("journal.acd")), kiosk: key, at: now)
  }

  func counter() throws -> Counter {
    Counter(kiosk: try signing { $0.publicKey }, trusts: try trusts())
  }
}

/// The journal's file. `flock` holds on network file systems, too (as byte-range locks).
final class FileJournal: JournalStorage {
  private let descriptor: Int32
  private let path: String

  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw JournalError.storage(KioskError.system("cannot open", path).description)
    }
    try syncFolder(of: path)
  }

  deinit { close(descriptor) }

  func lock() throws {
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else { throw failure("cannot lock") }
    }
  }

  func unlock() { _ = flock(descriptor, LOCK_UN) }

  func read(from offset: UInt64) throws -> [UInt8] {
    var (bytes, buffer, at) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 20), off_t(offset))
    while true {
      let count = pread(descriptor, &buffer, buffer.count, at)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure("cannot read") }
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
      at += off_t(count)
    }
  }

  func append(_ bytes: [UInt8]) throws {
    guard lseek(descriptor, 0, SEEK_END) >= 0 else { throw failure("cannot write") }
    do { try writeAll(descriptor, bytes, path) } catch { throw JournalError.storage("\(error)") }
    guard fdatasync(descriptor) == 0 else { throw failure("cannot write") }
  }

  func truncate(to length: UInt64) throws {
    guard ftruncate(descriptor, off_t(length)) == 0, fdatasync(descriptor) == 0 else {
      throw failure("cannot write")
    }
  }

  private func failure(_ what: String) -> JournalError {
    .storage(KioskError.system(what, path).description)
  }
}

/// Writes all bytes.
func writeAll(_ descriptor: Int32, _ bytes: [UInt8], _ path: String) throws {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { throw KioskError.system("cannot write", path) }
    rest = rest.dropFirst(count)
  }
}

/// Makes a folder and those above it.
private func makeFolders(_ path: String) throws {
  var made = path.hasPrefix("/") ? "" : "."
  for part in path.split(separator: "/") {
    made += "/" + part
    guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw KioskError.system("cannot make", made) }
  }
}

/// A new name in a folder is durable only with the folder.
private func syncFolder(of path: String) throws {
  let end = path.lastIndex(of: "/") ?? path.startIndex
  let folder = open(String(path[..<end]), O_RDONLY | O_CLOEXEC)
  guard folder >= 0 else { return }
  defer { close(folder) }
  _ = fsync(folder)
}
