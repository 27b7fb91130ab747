// Readers by PC/SC (pcsclite): a connection that nobody else has, and that leaves the card reset behind it,
// so that no PIN stays given.

internal import CPCSC
public import Cards

/// A card in a reader of this machine.
public final class Reader: CardLink, @unchecked Sendable {  // PC/SC itself takes one command after the other
  private var context = SCARDCONTEXT()
  private var handle = SCARDHANDLE()
  private var line = DWORD()
  private var isConnected = false
  /// The reader's name, as the system has it.
  public let name: String

  /// Connects to the first reader with a card in it; with `named` to one whose name contains this.
  public init(named wanted: String? = nil) throws(CardError) {
    var context = SCARDCONTEXT()
    let status = SCardEstablishContext(DWORD(SCARD_SCOPE_SYSTEM), nil, nil, &context)
    guard status == acd_pcsc_ok else {
      throw .reader("there is no PC/SC service: is pcscd running? (\(Self.text(status)))")
    }
    self.context = context
    var tried: [String] = []
    for reader in Self.readers(context) where wanted.map({ reader.contains($0) }) ?? true {
      let status = SCardConnect(
        context, reader, DWORD(SCARD_SHARE_EXCLUSIVE), DWORD(SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1), &handle,
        &line)
      if status == acd_pcsc_ok {
        (name, isConnected) = (reader, true)
        return
      }
      tried.append(
        acd_pcsc_is_absent(status) != 0
          ? "\(reader) is empty"
          : acd_pcsc_is_busy(status) != 0
            ? "another program has \(reader)" : "\(reader): \(Self.text(status))")
    }
    SCardReleaseContext(context)
    throw .reader(tried.isEmpty ? "there is no card reader" : "no card: " + tried.joined(separator: "; "))
  }

  deinit {
    guard isConnected else { return }
    SCardDisconnect(handle, DWORD(SCARD_RESET_CARD))
    SCardReleaseContext(context)
  }

  public func transmit(_ command: [UInt8]) throws -> [UInt8] {
    var answer = [UInt8](repeating: 0, count: 258)
    var count = DWORD(answer.count)
    let status = acd_pcsc_transmit(handle, line, command, DWORD(command.count), &answer, &count)
    guard status == acd_pcsc_ok else {
      throw CardError.reader(
        acd_pcsc_is_absent(status) != 0
          ? "the card was taken out: put it back and try again"
          : "\(name) does not answer: \(Self.text(status))")
    }
    return Array(answer.prefix(Int(count)))
  }

  /// The readers of this machine, with a card or without.
  public static func names() -> [String] {
    var context = SCARDCONTEXT()
    guard SCardEstablishContext(DWORD(SCARD_SCOPE_SYSTEM), nil, nil, &context) == acd_pcsc_ok else {
      return []
    }
    defer { SCardReleaseContext(context) }
    return readers(context)
  }

  private static func readers(_ context: SCARDCONTEXT) -> [String] {
    var count = DWORD()
    guard SCardListReaders(context, nil, nil, &count) == acd_pcsc_ok, count > 0 else { return [] }
    var names = [CChar](repeating: 0, count: Int(count))
    guard SCardListReaders(context, nil, &names, &count) == acd_pcsc_ok else { return [] }
    // Each ends with a zero, and the list with one more.
    return names.prefix(Int(count)).split(separator: 0).map {
      String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }

  private static func text(_ status: LONG) -> String { String(cString: pcsc_stringify_error(status)) }
}
