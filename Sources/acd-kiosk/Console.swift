// What the command needs from the operating system: bounded reading, writing and the clock. POSIX alone, so
// that a counter's reader starts at once.

internal import Messages

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Where bytes come from.
enum InputSource {
  case file(String)
  case standardInput

  var name: String {
    switch self {
    case .file(let path): path
    case .standardInput: "standard input"
    }
  }
}

/// Something could not be read.
struct InputError: Error, CustomStringConvertible {
  let description: String

  init(_ source: InputSource, _ errorNumber: Int32) {
    description = "cannot read \(source.name): \(String(cString: strerror(errorNumber)))"
  }
}

/// Reads to the end, but never more than `limit` bytes.
func readBounded(_ source: InputSource, limit: Int) throws(InputError) -> [UInt8] {
  let descriptor: Int32
  switch source {
  case .file(let path): descriptor = open(path, O_RDONLY | O_CLOEXEC)
  case .standardInput: descriptor = STDIN_FILENO
  }
  guard descriptor >= 0 else { throw InputError(source, errno) }
  defer { if case .file = source { close(descriptor) } }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while bytes.count < limit {
    let count = read(descriptor, &buffer, min(buffer.count, limit - bytes.count))
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw InputError(source, errno) }
    guard count > 0 else { break }
    bytes += buffer[..<count]
  }
  return bytes
}

/// Where text goes to.
enum OutputStream: Int32 {
  case output = 1
  case error = 2
}

/// Writes all of `text`. A reader that has gone away is not told.
func write(_ text: String, to stream: OutputStream) {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(stream.rawValue, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return }
    rest = rest.dropFirst(count)
  }
}

/// Now, by this machine's clock.
func currentTime() -> Timestamp { Timestamp(max(0, time(nil))) }
