// A log as static files: what is there is what a web server would serve, and only one process writes.

import Messages
import Testing
import TransparencyLog

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite("Log as static files")
struct DirectoryTests {
  private func folder() -> String {
    var template = Array(
      "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/acd-log-\(String(repeating: "X", count: 6))"
        .utf8CString)
    return String(cString: mkdtemp(&template))
  }

  @Test("a log that is closed and opened goes on, and its readers find all")
  func goesOn() throws {
    let path = folder() + "/a/b"
    for round in 0..<4 {
      var log = try LogWriter(
        opening: LogDirectory(path), key: noteKey(), isNew: round == 0, sign: { try signed($0) })
      #expect(log.head.size == UInt64(round * 300))
      try log.append((0..<300).map { entry(round * 300 + $0) })
      try LogCheck.everything(log.head, reading: log.storage.object)
      #expect(try Checkpoint(text: noteKey().verified(log.storage.checkpoint()!).text).root == log.head.root)
      #expect(try log.tree.entry(0) == entry(0))
      #expect(try log.storage.object("tile/0/000.p/255") == nil)
    }
  }

  @Test("a second process is refused, and gets the log when the first is gone")
  func locked() throws {
    let path = folder()
    var first: LogDirectory? = try LogDirectory(path)
    #expect(throws: LogDirectoryError.self) { _ = try LogDirectory(path) }
    #expect(try first?.head() == nil)
    first = nil
    _ = try LogDirectory(path)
  }

  @Test("another head than was expected is not replaced")
  func swap() throws {
    let log = try LogDirectory(folder())
    let head = LogHead(size: 1, root: TreeHash.leaf([1]))
    #expect(try log.store([LogObject("tile/0/000.p/1", head.root.bytes)], from: .empty, to: head))
    #expect(try !log.store([], from: .empty, to: .empty))
    #expect(try log.head() == head)
  }
}
