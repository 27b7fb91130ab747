// QR codes as text: half-block characters for terminals, and SVG.

extension QRCode {
  /// What the terminal is like.
  public enum TerminalStyle: Sendable {
    /// It understands ANSI colours: the code is black on white whatever the theme.
    case ansi
    /// It does not; its background is dark, so the light modules are drawn.
    case darkBackground
    /// It does not; its background is light, or this is paper, so the dark modules are drawn.
    case lightBackground
  }

  /// The code with its quiet zone, two modules a character, a newline after every line.
  public func terminal(_ style: TerminalStyle) -> String {
    let drawsDark = style != .darkBackground
    let (start, end) = style == .ansi ? ("\u{1b}[38;5;16;48;5;231m", "\u{1b}[0m\n") : ("", "\n")
    let edge = side + Self.quietZone
    var text = ""
    for y in stride(from: -Self.quietZone, to: edge, by: 2) {
      text += start
      for x in -Self.quietZone..<edge {
        // Below the last row there is nothing to draw, in either colour.
        let upper = isDark(x: x, y: y) == drawsDark
        let lower = y + 1 < edge ? isDark(x: x, y: y + 1) == drawsDark : false
        text += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ")
      }
      text += end
    }
    return text
  }

  /// The code with its quiet zone as an SVG document, one unit a module: a white square and one black path.
  public func svg() -> String {
    let size = side + 2 * Self.quietZone
    var path = ""
    for y in 0..<side {
      var x = 0
      while x < side {
        let start = x
        while isDark(x: x, y: y) { x += 1 }
        if x > start {
          path += "M\(start + Self.quietZone) \(y + Self.quietZone)h\(x - start)v1h-\(x - start)z"
        } else {
          x += 1
        }
      }
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size) \(size)" shape-rendering="crispEdges">
      <path fill="#fff" d="M0 0h\(size)v\(size)h-\(size)z"/>
      <path fill="#000" d="\(path)"/>
      </svg>

      """
  }
}
