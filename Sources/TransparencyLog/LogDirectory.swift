// A log as static files, which any web server can serve: the names of tlog-tiles below one folder, and
// beside them `head`, which is for the writer alone, and a lock.
//
// Invariants: a file gets its name when it is whole and synchronised; the folder that names it is
// synchronised before the head is; one process writes, but for what dates checkpoints, which lies beside
// them and never changes. flock(2) goes with its descriptor, so a crash leaves
// no lock behind.

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// What a file system refused.
public struct LogDirectoryError: Error, Equatable, Sendable, CustomStringConvertible {
  public let path: String
  public let reason: String
  public var description: String { "\(path): \(reason)" }

  init(_ path: String, _ code: CInt = errno) { (self.path, reason) = (path, String(cString: strerror(code))) }
}

/// A log in a folder, with one writer.
public final class LogDirectory: LogStorage {
  private let root: String
  private let lock: CInt
  private static let headName = "head"

  /// Opens the folder, which is made if need be, and takes its lock.
  public init(_ path: String) throws(LogDirectoryError) {
    root = path
    var touched: Set<String> = []
    try Self.makeFolder(path, &touched)
    lock = open(path + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw LogDirectoryError(path + "/lock") }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      _ = close(lock)
      throw LogDirectoryError(path + "/lock", code)
    }
  }

  deinit { _ = close(lock) }

  // MARK: LogStorage

  public func head() throws -> LogHead? {
    guard let bytes = try object(Self.headName) else { return nil }
    guard let head = LogHead(encoded: bytes) else { throw LogFault.missing(path: Self.headName) }
    return head
  }

  public func object(_ path: String) throws -> [UInt8]? { try Self.read(root + "/" + path) }

  public func store(_ objects: [LogObject], from: LogHead, to: LogHead) throws -> Bool {
    guard try head() ?? .empty == from else { return false }
    var touched: Set<String> = []
    for object in objects { try Self.write(root + "/" + object.path, object.bytes, &touched) }
    for folder in touched { try Self.synchronise(folder) }
    try put(Self.headName, to.encoded)
    return true
  }

  public func checkpoint() throws -> [UInt8]? { try object(LogPath.checkpoint) }

  public func publish(_ note: [UInt8]) throws { try put(LogPath.checkpoint, note) }

  // MARK: Timestamps

  private static let timestamps = "timestamp"

  /// Where the timestamp of the checkpoint of this size is, below the log's folder.
  public static func timestamp(_ size: UInt64) -> String { "\(timestamps)/\(size)" }

  /// Keeps the timestamp of a checkpoint, durably. The log may be written to at the same time.
  public static func keep(timestamp: [UInt8], of size: UInt64, in root: String) throws(LogDirectoryError) {
    try put(root, Self.timestamp(size), timestamp)
  }

  /// The sizes of the checkpoints that have timestamps, ascending.
  public static func timestamped(in root: String) -> [UInt64] {
    guard let entries = opendir(root + "/" + timestamps) else { return [] }
    defer { closedir(entries) }
    var sizes: [UInt64] = []
    while let entry = readdir(entries) {
      if let size = UInt64(name(entry)) { sizes.append(size) }
    }
    return sizes.sorted()
  }

  /// An object of a log that somebody else may be writing to.
  public static func object(_ path: String, in root: String) throws(LogDirectoryError) -> [UInt8]? {
    try read(root + "/" + path)
  }

  private static func name(_ entry: UnsafeMutablePointer<dirent>) -> String {
    withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
  }

  public func discard(_ prefixes: [String]) throws {
    for prefix in prefixes {
      let folder = root + "/" + prefix.dropLast()
      guard let entries = opendir(folder) else { continue }
      defer { closedir(entries) }
      while let entry = readdir(entries) {
        let name = Self.name(entry)
        if name != ".", name != ".." { _ = unlink(folder + "/" + name) }
      }
      _ = rmdir(folder)
    }
  }

  // MARK: Files

  private func put(_ path: String, _ bytes: [UInt8]) throws(LogDirectoryError) {
    try Self.put(root, path, bytes)
  }

  private static func put(_ root: String, _ path: String, _ bytes: [UInt8]) throws(LogDirectoryError) {
    var touched: Set<String> = []
    try write(root + "/" + path, bytes, &touched)
    for folder in touched { try synchronise(folder) }
  }

  private static func write(
    _ whole: String, _ bytes: [UInt8], _ touched: inout Set<String>
  ) throws(LogDirectoryError) {
    let folder = String(whole[..<whole.lastIndex(of: "/")!])
    try makeFolder(folder, &touched)
    let temporary = whole + ".new"
    let file = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw LogDirectoryError(temporary) }
    defer { _ = close(file) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { writeSome(file, $0) }
      if count < 0 {
        guard errno == EINTR else { throw LogDirectoryError(temporary) }
        continue
      }
      rest = rest.dropFirst(count)
    }
    guard fsync(file) == 0 else { throw LogDirectoryError(temporary) }
    guard rename(temporary, whole) == 0 else { throw LogDirectoryError(whole) }
    touched.insert(folder)
  }

  private static func writeSome(_ file: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(file, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(file, bytes.baseAddress, bytes.count)
    #endif
  }

  private static func makeFolder(
    _ path: String, _ touched: inout Set<String>
  ) throws(LogDirectoryError) {
    if mkdir(path, 0o755) == 0 {
      touched.insert(parent(of: path))
      return
    }
    let code = errno
    switch code {
    case EEXIST: return
    case ENOENT where path.contains("/"):
      try makeFolder(parent(of: path), &touched)
      guard mkdir(path, 0o755) == 0 else { throw LogDirectoryError(path) }
      touched.insert(parent(of: path))
    default: throw LogDirectoryError(path, code)
    }
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func synchronise(_ folder: String) throws(LogDirectoryError) {
    let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { throw LogDirectoryError(folder) }
    defer { _ = close(opened) }
    guard fsync(opened) == 0 else { throw LogDirectoryError(folder) }
  }

  private static func read(_ path: String) throws(LogDirectoryError) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw LogDirectoryError(path)
    }
    defer { _ = close(file) }
    var (bytes, room) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
    while true {
      let count = readSome(file, &room)
      if count == 0 { return bytes }
      if count < 0 {
        guard errno == EINTR else { throw LogDirectoryError(path) }
        continue
      }
      bytes += room.prefix(count)
    }
  }

  private static func readSome(_ file: CInt, _ room: inout [UInt8]) -> Int {
    #if canImport(Glibc)
      Glibc.read(file, &room, room.count)
    #else
      Darwin.read(file, &room, room.count)
    #endif
  }
}
