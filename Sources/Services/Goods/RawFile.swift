// Files read and written at offsets, by several threads at once and without buffers in between.

import Foundation

/// An open file; closed when it is let go.
public final class RawFile: Sendable {
  private let path: String
  private let descriptor: Int32

  private init(_ path: String, _ flags: Int32, reason: String) throws {
    descriptor = open(path, flags | O_CLOEXEC, 0o666)
    self.path = path
    guard descriptor >= 0 else { throw ServiceError.file(path: path, reason: reason) }
  }

  /// For reading.
  public convenience init(reading path: String) throws {
    try self.init(path, O_RDONLY, reason: "cannot be read")
  }

  /// For writing, emptied or new; a device too.
  public convenience init(writing path: String) throws {
    try self.init(path, O_WRONLY | O_CREAT | O_TRUNC, reason: "cannot be created")
  }

  /// For reading and writing; new if it is not there.
  convenience init(updating path: String) throws {
    try self.init(path, O_RDWR | O_CREAT, reason: "cannot be written")
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Bytes in the file; fails for what is no regular file.
  func size() throws -> UInt64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw ServiceError.file(path: path, reason: "is no file that can be read as a whole")
    }
    return UInt64(status.st_size)
  }

  /// Fills `buffer` from `offset` on; fails where the file ends before.
  func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws {
    try read([buffer], at: offset)
  }

  /// Fills these pieces of memory, one after the other, from `offset` on; at most 1,024 of them.
  func read(_ pieces: [UnsafeMutableRawBufferPointer], at offset: UInt64) throws {
    try Self.eachVector(pieces, at: offset) { vectors, offset in
      let count = preadv(descriptor, vectors.baseAddress, Int32(vectors.count), offset)
      if count < 0, errno == EINTR { return 0 }
      guard count >= 0 else { throw ServiceError.file(path: path, reason: "cannot be read") }
      guard count > 0 else {
        throw ServiceError.file(path: path, reason: "became shorter while it was read")
      }
      return count
    }
  }

  /// Writes all of `bytes` from `offset` on.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
    // Only read, whatever the vector's type says.
    try write([UnsafeMutableRawBufferPointer(mutating: bytes)], at: offset)
  }

  /// Writes these pieces of memory, one after the other, from `offset` on; at most 1,024 of them.
  func write(_ pieces: [UnsafeMutableRawBufferPointer], at offset: UInt64) throws {
    try Self.eachVector(pieces, at: offset) { vectors, offset in
      let count = pwritev(descriptor, vectors.baseAddress, Int32(vectors.count), offset)
      if count < 0, errno == EINTR { return 0 }
      guard count > 0 else {
        throw ServiceError.file(path: path, reason: "cannot be written: \(String(cString: strerror(errno)))")
      }
      return count
    }
  }

  /// Calls `transfer` for what is left until nothing is; it returns how many bytes it moved.
  static func eachVector(
    _ pieces: [UnsafeMutableRawBufferPointer], at offset: UInt64,
    _ transfer: (UnsafeBufferPointer<iovec>, off_t) throws -> Int
  ) throws {
    var vectors = pieces.filter { !$0.isEmpty }.map { iovec(iov_base: $0.baseAddress, iov_len: $0.count) }
    var (first, position) = (0, off_t(offset))
    while first < vectors.count {
      var moved = try vectors.withUnsafeBufferPointer {
        try transfer(UnsafeBufferPointer(rebasing: $0[first...]), position)
      }
      position += off_t(moved)
      while first < vectors.count, moved >= vectors[first].iov_len {
        moved -= vectors[first].iov_len
        first += 1
      }
      if moved > 0 {
        vectors[first].iov_base += moved
        vectors[first].iov_len -= moved
      }
    }
  }

  /// Cuts the file off or lengthens it with zeros.
  func setSize(_ size: UInt64) throws {
    guard ftruncate(descriptor, off_t(size)) == 0 else {
      throw ServiceError.file(path: path, reason: "cannot be written")
    }
  }

  /// Waits until what was written is on the disk.
  func synchronize() throws {
    guard fsync(descriptor) == 0 else { throw ServiceError.file(path: path, reason: "cannot be written") }
  }

  /// Makes a file that appears whole, and on the disk, or not at all: `body` writes it under another name
  /// beside it, which is removed when it fails.
  static func create<T>(_ path: String, _ body: (RawFile) throws -> T) throws -> T {
    let temporary = path + ".part"
    do {
      let file = try RawFile(writing: temporary)
      let result = try body(file)
      try file.synchronize()
      guard rename(temporary, path) == 0 else {
        throw ServiceError.file(path: path, reason: "cannot be written")
      }
      return result
    } catch {
      unlink(temporary)
      throw error
    }
  }
}
