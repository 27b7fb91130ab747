// What the disk alone costs: a durable append to a file beside the stores, and the flushes that the device
// counts.

import CBench
import Foundation

enum LoadDisk {
  /// Ends the run where nothing is durable: a file system in memory.
  static func requireDisk(_ path: String) {
    var information = statfs()
    expect(statfs(path, &information) == 0, "cannot look at \(path)")
    let memory = [0x0102_1994, 0x8584_58f6]  // tmpfs, ramfs
    expect(!memory.contains(Int(information.f_type)), "\(path) is in memory: give --dir with a disk's folder")
  }

  /// Latencies of `count` durable appends of 4 KiB (write, fdatasync), in seconds, sorted.
  static func appends(_ count: Int, in directory: String) -> [Double] {
    let path = directory + "/disk-floor"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    expect(descriptor >= 0, "cannot write \(path)")
    defer {
      close(descriptor)
      unlink(path)
    }
    let page = [UInt8](repeating: 0x5a, count: 4096)
    return (0..<count).map { _ in
      let start = wallClock()
      expect(write(descriptor, page, page.count) == page.count, "write")
      expect(fdatasync(descriptor) == 0, "fdatasync")
      return wallClock() - start
    }.sorted()
  }

  /// Flushes that the device under `path` has done so far, whoever asked for them (Linux,
  /// Documentation/ABI/stable/sysfs-block: the 16th number of `stat`); nil where it does not count them.
  static func flushes(_ path: String) -> Int? {
    var information = stat()
    guard stat(path, &information) == 0 else { return nil }
    let (major, minor) = (gnu_dev_major(information.st_dev), gnu_dev_minor(information.st_dev))
    guard
      let text = try? String(contentsOfFile: "/sys/dev/block/\(major):\(minor)/stat", encoding: .utf8)
    else { return nil }
    let fields = text.split(whereSeparator: { $0.isWhitespace })
    return fields.count > 15 ? Int(fields[15]) : nil
  }
}

/// The value that a share of the sorted values does not exceed (nearest rank).
func percentile(_ sorted: [Double], _ share: Double) -> Double {
  sorted[min(sorted.count - 1, max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1))]
}
