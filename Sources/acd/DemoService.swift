// One service of the demo: this program again, as a process of its own; its trace is read and shown.

import Foundation
import Services

/// A running service.
// Process is used by one task at a time; shared state is locked
final class DemoService: @unchecked Sendable {
  private let process: Process
  private static let lock = NSLock()
  nonisolated(unsafe) private static var seen = Set<String>()  // under the lock

  private init(_ process: Process) { self.process = process }

  /// Starts `acd ROLE serve` and waits until it says that it is ready.
  static func start(_ role: String, _ directory: DataDirectory, trust: String) async throws -> DemoService {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [role, "serve", "--data-dir", directory.path, "--trust", trust, "--trace"]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let lines = AsyncStream.makeStream(of: String.self)
    DispatchQueue.global().async { read(pipe.fileHandleForReading, lines.continuation) }
    for await url in lines.stream {
      let name = role.padding(toLength: 9, withPad: " ", startingAt: 0)
      print("  \(name) \(url)  process \(process.processIdentifier)")
      return DemoService(process)
    }
    throw ServiceError.unreachable("the \(role) did not start")
  }

  /// Asks the service to stop and waits for it.
  func stop() async {
    guard process.isRunning else { return }
    process.terminate()
    for _ in 0..<100 where process.isRunning { try? await Task.sleep(for: .milliseconds(50)) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  /// Whether a message with this label has passed.
  static func hasSeen(_ label: String) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    return seen.contains(label)
  }

  /// Prints a message as it passes.
  static func show(_ label: String, _ from: String, _ to: String, _ bytes: Int, _ ms: Double) {
    lock.lock()
    defer { lock.unlock() }
    seen.insert(label)
    func pad(_ text: String, _ width: Int) -> String {
      text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
    }
    let time = ms > 0 ? String(format: "%8.1f ms", ms) : ""
    print("  \(pad(label, 12)) \(pad(from, 9)) → \(pad(to, 9)) \(pad("\(bytes) bytes", 13))\(time)")
  }

  private static func read(_ handle: FileHandle, _ ready: AsyncStream<String>.Continuation) {
    var buffer = Data()
    while true {
      let block = handle.availableData
      if block.isEmpty { break }
      buffer.append(block)
      while let end = buffer.firstIndex(of: 10) {
        let line = buffer[buffer.startIndex..<end]
        buffer.removeSubrange(buffer.startIndex...end)
        guard let value = try? JSONDecoder().decode([String: String].self, from: line) else { continue }
        if let url = value["ready"] {
          ready.yield(url)
          ready.finish()
        } else if let label = value["label"] {
          show(
            label, value["from"] ?? "?", value["to"] ?? "?", Int(value["bytes"] ?? "") ?? 0,
            Double(value["ms"] ?? "") ?? 0)
        }
      }
    }
    ready.finish()
  }
}
