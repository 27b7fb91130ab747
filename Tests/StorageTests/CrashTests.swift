// What is left after a crash: a killed process, a copy of the files as they were, a torn log, a failed disk.

import Foundation
import Testing

@testable import Storage

@Suite("Crashes")
struct CrashTests {
  @Test("Every write that was acknowledged before the process was killed is there afterwards")
  func killed() async throws {
    try await withFolder { folder in
      let file = folder.appending(path: "store.db").path
      let journal = folder.appending(path: "acknowledged").path
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [file = file as String, journal = journal as String] in
        let store = try SQLiteStore(path: file)
        let output = open(journal, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        await withTaskGroup(of: Void.self) { group in
          for number: UInt16 in 0..<2000 {
            group.addTask {
              try? await store.write { transaction in
                try transaction.append(
                  kind: "m", key: [], label: "\(number)", bytes: [UInt8](repeating: 1, count: 500))
                try transaction.setMeta("\(number)", [1])
              }
              var line = number
              _ = write(output, &line, 2)
              if number == 1200 { kill(getpid(), SIGKILL) }
            }
          }
        }
      }
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: journal)))
      let acknowledged = stride(from: 0, to: bytes.count - 1, by: 2).map {
        UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
      }
      #expect(acknowledged.count > 1)
      let store = try SQLiteStore(path: file)
      #expect(try await store.check() == [])
      for number in acknowledged {
        #expect(try await store.read { try $0.meta("\(number)") } == [1])
      }
      // Whatever else got in is whole.
      let log = try await store.read { try $0.messages(kind: "m", key: []) }
      for entry in log { #expect(try await store.read { try $0.meta(entry.label) } == [1]) }
      try await store.close()
    }
  }

  /// Copies database and log as they are now, the last `torn` bytes of the log missing, and opens them.
  private func openCopy(_ folder: URL, torn: Int, named name: String) throws -> SQLiteStore {
    let copy = folder.appending(path: name)
    try FileManager.default.copyItem(at: folder.appending(path: "store.db"), to: copy)
    let log = try Data(contentsOf: folder.appending(path: "store.db-wal"))
    try log.dropLast(torn).write(to: folder.appending(path: name + "-wal"))
    return try SQLiteStore(path: copy.path)
  }

  @Test("The files as a power cut would leave them hold every acknowledged write")
  func copied() async throws {
    try await withFolder { folder in
      let store = try SQLiteStore(path: folder.appending(path: "store.db").path)
      for number in 0..<10 { try await store.write { try $0.setMeta("\(number)", [1]) } }
      let copy = try openCopy(folder, torn: 0, named: "copy.db")
      for number in 0..<10 {
        #expect(try await copy.read { try $0.meta("\(number)") } == [1])
      }
      #expect(try await copy.check() == [])
      try await copy.close()
      try await store.close()
    }
  }

  @Test("A torn end of the log costs only the write it belonged to", arguments: [1, 24, 4000])
  func torn(bytes: Int) async throws {
    try await withFolder { folder in
      let store = try SQLiteStore(path: folder.appending(path: "store.db").path)
      for number in 0..<10 {
        try await store.write { transaction in
          try transaction.setMeta("a\(number)", [1])
          try transaction.append(kind: "m", key: [], label: "b\(number)", bytes: [1])
        }
      }
      let copy = try openCopy(folder, torn: bytes, named: "copy.db")
      for number in 0..<10 {
        let meta = try await copy.read { try $0.meta("a\(number)") }
        let message = try await copy.read {
          try $0.message(kind: "m", key: [], label: "b\(number)")
        }
        #expect(meta == (number < 9 ? [1] : nil))
        #expect(message == meta)
      }
      #expect(try await copy.check() == [])
      try await copy.close()
      try await store.close()
    }
  }

  @Test("A disk that fails in a commit ends the process, and the next one recovers")
  func failedDisk() async throws {
    try await withFolder { folder in
      let file = folder.appending(path: "store.db").path
      await #expect(processExitsWith: .exitCode(70)) { [file = file as String] in
        let store = try SQLiteStore(path: file)
        try await store.write { try $0.setMeta("before", [1]) }
        limitFileSize(of: file + "-wal")
        try? await store.write { try $0.setMeta("after", [UInt8](repeating: 1, count: 65536)) }
        exit(1)
      }
      let store = try SQLiteStore(path: file)
      #expect(try await store.read { try $0.meta("before") } == [1])
      #expect(try await store.read { try $0.meta("after") } == nil)
      #expect(try await store.check() == [])
      try await store.close()
    }
  }

  @Test("The caller decides how the process ends when the disk fails")
  func injectedEnd() async throws {
    try await withFolder { folder in
      let file = folder.appending(path: "store.db").path
      await #expect(processExitsWith: .exitCode(9)) { [file = file as String] in
        let store = try SQLiteStore(path: file) { error in
          if case .ioFailure = error { exit(9) }
          exit(1)
        }
        limitFileSize(of: file + "-wal")
        try? await store.write { try $0.setMeta("after", [UInt8](repeating: 1, count: 65536)) }
        exit(1)
      }
    }
  }
}

/// From now on this process can't make any file larger than `path` is: writing there fails with EFBIG,
/// which SQLite takes for a failing disk.
private func limitFileSize(of path: String) {
  var status = stat()
  stat(path, &status)
  signal(SIGXFSZ, SIG_IGN)
  var limit = rlimit(rlim_cur: rlim_t(status.st_size), rlim_max: rlim_t.max)
  #if canImport(Glibc)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
  #else
    setrlimit(RLIMIT_FSIZE, &limit)
  #endif
}
