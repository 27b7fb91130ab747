// The terminal: keys one by one, unseen digits, and the size.
//
// Invariant: however the program ends by itself, the terminal is as it was.

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A terminal whose keys come one by one and are not shown.
final class RawTerminal {
  private var before = termios()
  private let isTerminal = isatty(STDIN_FILENO) == 1

  init() {
    guard isTerminal else { return }
    tcgetattr(STDIN_FILENO, &before)
    var raw = before
    raw.c_lflag &= ~tcflag_t(ECHO | ICANON)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw)
  }

  deinit { restore() }

  func restore() { if isTerminal { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) } }

  /// What was typed or scanned within so many milliseconds; nil at the end of input.
  func read(milliseconds: Int32) -> [UInt8]? {
    var wait = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard poll(&wait, 1, milliseconds) > 0 else { return [] }
    var buffer = [UInt8](repeating: 0, count: 8_192)
    let count = systemRead(STDIN_FILENO, &buffer, buffer.count)
    if count < 0 && (errno == EINTR || errno == EAGAIN) { return [] }
    return count > 0 ? Array(buffer[..<count]) : nil
  }
}

/// The customer's digits.
enum PINPad {
  /// Asks for a line that is not shown; the digits alone of it.
  static func ask(_ prompt: String) throws -> String {
    let isTerminal = isatty(STDIN_FILENO) == 1
    var before = termios()
    if isTerminal {
      write(prompt + ": ", to: .error)
      tcgetattr(STDIN_FILENO, &before)
      var quiet = before
      quiet.c_lflag &= ~tcflag_t(ECHO)
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet)
    }
    defer {
      if isTerminal {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
        write("\n", to: .error)
      }
    }
    guard let line = readLine(), looksLikePIN(line) else {
      throw KioskError("no PIN was given; nothing was done")
    }
    return line
  }

  /// 6 to 12 digits: no label has so few.
  static func looksLikePIN(_ text: some StringProtocol) -> Bool {
    (6...12).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }
}

/// `read` of the system: the class has one of its own.
private func systemRead(_ descriptor: Int32, _ buffer: inout [UInt8], _ count: Int) -> Int {
  read(descriptor, &buffer, count)
}
