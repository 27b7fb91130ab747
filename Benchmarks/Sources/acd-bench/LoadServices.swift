// The services under load: `acd` from the same build, as processes of their own, and what they used of the
// processors.

import Foundation
import Services

/// One running service.
final class LoadService {
  let role: String
  private let process: Process
  /// Kept: a service that writes to a closed pipe would end.
  private let output: Pipe

  /// Starts `acd ROLE serve` and waits until it says that it is ready.
  init(_ role: String, _ directory: DataDirectory, trust: String) throws {
    (self.role, process, output) = (role, Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent("acd")
    process.arguments = [role, "serve", "--data-dir", directory.path, "--trust", trust]
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    var line = Data()
    while !line.contains(10) {
      let block = output.fileHandleForReading.availableData
      guard !block.isEmpty else { throw ServiceError.unreachable("the \(role) did not start") }
      line.append(block)
    }
  }

  /// Asks the service to stop and waits for it.
  func stop() {
    guard process.isRunning else { return }
    process.terminate()
    process.waitUntilExit()
  }

  /// Seconds of processor time since it started: proc(5), utime and stime.
  var processorSeconds: Double {
    guard process.isRunning,
      let text = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { fatalError("benchmark: the \(role) has ended") }
    // After the name in parentheses the state is field 3; utime and stime are 14 and 15.
    let fields = text[end...].split(separator: " ")
    return (Double(fields[12])! + Double(fields[13])!) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}

/// Loopback ports that are free now, by asking the kernel.
func freePorts(_ count: Int) -> [Int] {
  var sockets: [Int32] = []
  defer { for socket in sockets { close(socket) } }
  return (0..<count).map { _ in
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    sockets.append(descriptor)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
      }
    }
    expect(bound, "no free port on loopback")
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
