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
    var done = 0
    while done < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw ServiceError.file(path: path, reason: "cannot be read") }
      guard count > 0 else {
        throw ServiceError.file(path: path, reason: "became shorter while it was read")
      }
      done += count
    }
  }

  /// Writes all of `bytes` from `offset` on.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
    var done = 0
    while done < bytes.count {
      let count = pwrite(
        descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw ServiceError.file(path: path, reason: "cannot be written: \(String(cString: strerror(errno)))")
      }
      done += count
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
