// Files of the goods benchmark: read in blocks, written to where nothing is kept; and other programs run on
// them.

import Foundation

/// A file descriptor, closed at the end.
final class File {
  private let descriptor: Int32

  init(reading path: String) {
    descriptor = open(path, O_RDONLY)
    expect(descriptor >= 0, "cannot read \(path)")
  }

  init(writing path: String) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    expect(descriptor >= 0, "cannot write \(path)")
  }

  deinit { close(descriptor) }

  /// Fills `buffer` as far as the file goes; the number of bytes.
  func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    var count = 0
    while count < buffer.count {
      let got = read(descriptor, buffer.baseAddress! + count, buffer.count - count)
      expect(got >= 0, "read")
      if got == 0 { break }
      count += got
    }
    return count
  }

  func put(_ bytes: UnsafeRawBufferPointer) {
    var count = 0
    while count < bytes.count {
      let put = write(descriptor, bytes.baseAddress! + count, bytes.count - count)
      expect(put >= 0, "write")
      count += put
    }
  }

  func put(_ bytes: [UInt8]) { bytes.withUnsafeBytes(put) }
}

/// Runs a program that has to succeed; its output is dropped.
func tool(_ name: String, _ arguments: String...) throws {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [name] + arguments
  process.standardOutput = FileHandle.nullDevice
  process.standardError = FileHandle.nullDevice
  process.standardInput = FileHandle.nullDevice
  try process.run()
  process.waitUntilExit()
  expect(process.terminationStatus == 0, "\(name) failed")
}
