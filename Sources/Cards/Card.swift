// A card in a reader, by its commands (docs/SPEC.md, "Card"; ISO/IEC 7816-4). Long commands go in parts and
// long answers come in parts: every reader can do that.
//
// Invariants: a PIN is sent only by the functions that take one; no command is repeated, so that no try is
// taken twice.

public import Messages

/// The line to a card: command and answer, the status word at its end.
public protocol CardLink: Sendable {
  func transmit(_ command: [UInt8]) throws -> [UInt8]
}

/// What a card says of itself without a PIN.
public struct CardState: Equatable, Sendable {
  /// These still are what every new card has.
  public var defaults: [CardPIN]
  /// Tries that are left.
  public var tries: [CardPIN: Int]
  /// After the payment PIN: token keys, pseudonyms, and bytes of room.
  public var contents: Contents?

  /// What a card holds.
  public struct Contents: Equatable, Sendable {
    public var tokenKeys: UInt32
    public var pseudonyms: UInt32
    public var room: UInt32
  }

  /// Nobody has made it his own yet.
  public var isNew: Bool { defaults.count == CardPIN.allCases.count }
}

/// A card that was selected.
public struct Card: Sendable {
  private let link: any CardLink
  private static let aid: [UInt8] = [0xF0, 0x41, 0x43, 0x44, 0x01, 0x00, 0x01]
  private static let part = 255

  /// Selects the application.
  public init(_ link: any CardLink) throws(CardError) {
    self.link = link
    let (_, status) = try send(0xA4, 4, 0, Self.aid, "SELECT")
    guard status == 0x9000 else { throw .stranger }
  }

  // MARK: PINs

  /// Gives a PIN: it counts until the card is reset.
  public func verify(_ pin: CardPIN, _ digits: String) throws(CardError) {
    try own(pin, 0x20, Self.padded(digits), "VERIFY")
  }

  /// Takes a PIN back: it is asked again before the next use.
  public func withdraw(_ pin: CardPIN) throws(CardError) {
    _ = try command(0x20, 0xFF, pin.rawValue, [], "VERIFY")
  }

  /// Changes a PIN or the PUK.
  public func change(_ pin: CardPIN, from old: String, to new: String) throws(CardError) {
    try own(pin, 0x24, Self.padded(old) + Self.padded(new), "CHANGE REFERENCE DATA")
  }

  /// Sets a PIN anew, with the PUK.
  public func unblock(_ pin: CardPIN, puk: String, to new: String) throws(CardError) {
    let (_, status) = try send(
      0x2C, 0, pin.rawValue, Self.padded(puk) + Self.padded(new), "RESET RETRY COUNTER")
    try Self.check(status, "RESET RETRY COUNTER", .puk)
  }

  /// Erases keys, receipts and PINs: the card is as new. Needs the payment PIN, or a blocked PUK.
  public func wipe() throws(CardError) { _ = try command(0xE6, 0, 0, [], "TERMINATE") }

  /// Defaults and tries; after the payment PIN what is on it, too.
  public func state() throws(CardError) -> CardState {
    let bytes = try command(0xCA, 1, 1, [], "GET DATA")
    guard [5, 17].contains(bytes.count), bytes[0] == 1 else { throw .malformed("GET DATA") }
    let pins = CardPIN.allCases
    var state = CardState(
      defaults: pins.enumerated().filter { bytes[1] >> $0.offset & 1 == 1 }.map(\.element),
      tries: Dictionary(uniqueKeysWithValues: zip(pins, bytes[2..<5].map(Int.init))))
    if bytes.count == 17 {
      state.contents = CardState.Contents(
        tokenKeys: Self.number(bytes[5..<9]), pseudonyms: Self.number(bytes[9..<13]),
        room: Self.number(bytes[13..<17]))
    }
    return state
  }

  // MARK: Keys

  /// Makes a token key. Its number counts from 0.
  public func makeTokenKey() throws(CardError) -> CardKey {
    try key(try command(0x47, 0x80, 0, [1], "GENERATE ASYMMETRIC KEY PAIR"))
  }

  /// The token key of this number.
  public func tokenKey(_ index: UInt32) throws(CardError) -> CardKey {
    let (bytes, status) = try send(0x47, 0x81, 0, [1] + Self.bytes(index), "GENERATE ASYMMETRIC KEY PAIR")
    guard status != 0x6A88 else { throw .noSuchKey(index) }
    try Self.check(status, "GENERATE ASYMMETRIC KEY PAIR", .payment)
    return try key(bytes)
  }

  private func key(_ bytes: [UInt8]) throws(CardError) -> CardKey {
    guard bytes.count == 36, let publicKey = PublicKey(bytes[4...]) else {
      throw .malformed("GENERATE ASYMMETRIC KEY PAIR")
    }
    return CardKey(card: self, index: Self.number(bytes[..<4]), publicKey: publicKey)
  }

  fileprivate func sign(_ structure: [UInt8], _ index: UInt32) throws(CardError) -> [UInt8] {
    _ = try command(0x22, 0x41, 0xB6, [0x84, 5, 1] + Self.bytes(index), "MANAGE SECURITY ENVIRONMENT")
    let answer = try command(0x2A, 0x9E, 0x9A, structure, "COMPUTE DIGITAL SIGNATURE")
    guard answer.count == 164 else { throw .malformed("COMPUTE DIGITAL SIGNATURE") }
    return Array(answer[..<64])
  }

  // MARK: Commands

  func command(
    _ instruction: UInt8, _ p1: UInt8, _ p2: UInt8, _ data: [UInt8], _ name: String
  ) throws(CardError) -> [UInt8] {
    let (answer, status) = try send(instruction, p1, p2, data, name)
    try Self.check(status, name, .payment)
    return answer
  }

  private func own(_ pin: CardPIN, _ instruction: UInt8, _ data: [UInt8], _ name: String) throws(CardError) {
    let (_, status) = try send(instruction, 0, pin.rawValue, data, name)
    try Self.check(status, name, pin)
  }

  func send(
    _ instruction: UInt8, _ p1: UInt8, _ p2: UInt8, _ data: [UInt8], _ name: String
  ) throws(CardError) -> (answer: [UInt8], status: UInt16) {
    var rest = data[...]
    while rest.count > Self.part {
      let (_, status) = try exchange(
        [0x10, instruction, p1, p2, UInt8(Self.part)] + rest.prefix(Self.part), name)
      guard status == 0x9000 else { return ([], status) }
      rest = rest.dropFirst(Self.part)
    }
    let body = rest.isEmpty ? [] : [UInt8(rest.count)] + rest
    // A PIN's commands have no answer; for all others as much as there is.
    let le: [UInt8] = [0x20, 0x24, 0x2C, 0x22, 0xE6].contains(instruction) ? [] : [0]
    var (answer, status) = try exchange([0x00, instruction, p1, p2] + body + le, name)
    while status >> 8 == 0x61 {
      let more = try exchange([0x00, 0xC0, 0, 0, UInt8(truncatingIfNeeded: status)], name)
      guard !more.answer.isEmpty, answer.count < 70_000 else { throw .malformed(name) }
      answer += more.answer
      status = more.status
    }
    return (answer, status)
  }

  private func exchange(_ apdu: [UInt8], _ name: String) throws(CardError) -> (
    answer: [UInt8], status: UInt16
  ) {
    let reply: [UInt8]
    do { reply = try link.transmit(apdu) } catch let error as CardError { throw error } catch {
      throw .reader("\(error)")
    }
    guard reply.count >= 2 else { throw .malformed(name) }
    return (Array(reply.dropLast(2)), UInt16(reply[reply.count - 2]) << 8 | UInt16(reply[reply.count - 1]))
  }

  static func check(_ status: UInt16, _ name: String, _ pin: CardPIN) throws(CardError) {
    switch status {
    case 0x9000: return
    case 0x63C0: throw .blocked(pin)
    case 0x63C1...0x63CF: throw .wrongPIN(pin, left: Int(status & 15))
    case 0x6983: throw .blocked(pin)
    case 0x6984: throw .notInitialised
    case 0x6985: throw .signedBefore
    case 0x6400: throw .declined
    case 0x6A84: throw .full
    default: throw .refused(command: name, status: status)
    }
  }

  private static func padded(_ digits: String) -> [UInt8] {
    Array((Array(digits.utf8) + [UInt8](repeating: 0xFF, count: 12)).prefix(12))
  }

  static func bytes(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }

  static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }
}

/// A token key on a card. Before it signs, the payment PIN has to be given.
public struct CardKey: RemoteKey, Sendable {
  let card: Card
  /// Its number on the card.
  public let index: UInt32
  public let publicKey: PublicKey

  public func signature(over structure: [UInt8]) throws -> [UInt8] { try card.sign(structure, index) }
}
