// Receipts on a card, and its answer at a counter (docs/SPEC.md, "Card", Receipts and D2).
//
// Invariant: what the card answers to a challenge is verified here like any message: a card that is damaged
// or false makes no D2.

public import Messages

/// A receipt that is on a card.
public struct StoredReceipt: Equatable, Sendable {
  /// Its record's number, 1 to 254.
  public let number: UInt8
  /// It is read without a PIN.
  public let isOpen: Bool
  /// The card's key may collect what it names.
  public let collects: Bool
  /// Its bytes.
  public let length: Int
}

extension Card {
  /// Stores a receipt that names the card's pseudonym `index`. Needs the payment PIN. The same again changes
  /// nothing.
  /// - Returns: its record's number.
  public func store(_ receipt: Receipt, pseudonym index: UInt32, open: Bool = true) throws -> UInt8 {
    let flags: UInt8 = open ? 1 : 0
    let data = [flags] + Self.bytes(index) + (try receipt.encoded())
    let answer = try command(0xE2, 0, 0, data, "APPEND RECORD")
    guard answer.count == 1 else { throw CardError.malformed("APPEND RECORD") }
    return answer[0]
  }

  /// The receipts on the card; without a PIN the open ones alone.
  public func receipts() throws(CardError) -> [StoredReceipt] {
    let bytes = try command(0xCA, 1, 0, [], "GET DATA")
    guard bytes.count.isMultiple(of: 4) else { throw .malformed("GET DATA") }
    return stride(from: 0, to: bytes.count, by: 4).map { at in
      let flags = bytes[at + 1]
      let length = Int(Self.number(bytes[(at + 2)..<(at + 4)]))
      return StoredReceipt(
        number: bytes[at], isOpen: flags & 1 != 0, collects: flags & 2 != 0, length: length)
    }
  }

  /// The receipt in this record.
  public func receipt(_ number: UInt8) throws(CardError) -> [UInt8] {
    try command(0xB2, number, 4, [], "READ RECORD")
  }

  /// Erases the receipt in this record. Needs the payment PIN.
  public func erase(_ number: UInt8) throws(CardError) {
    _ = try command(0x0C, number, 4, [], "ERASE RECORD")
  }

  /// Answers a kiosk's challenge with D2, by a key that the receipt lets collect. Needs the counter PIN,
  /// which counts for one answer.
  public func answer(_ challenge: Verified<D1>) throws -> Verified<D2> {
    let (bytes, status) = try send(0x88, 0, 0, challenge.bytes, "INTERNAL AUTHENTICATE")
    guard status != 0x6A83 else { throw CardError.noSuchReceipt }
    try Self.check(status, "INTERNAL AUTHENTICATE", .counter)
    let message: Unverified<D2>
    do { message = try Unverified<D2>(bytes) } catch { throw CardError.malformed("INTERNAL AUTHENTICATE") }
    let answer = try Verified(message, by: .key(message.claimedSigners[0]))
    guard answer.payload.hD1 == challenge.hash, answer.payload.intent == challenge.payload.intent else {
      throw CardError.malformed("INTERNAL AUTHENTICATE")
    }
    return answer
  }

  // MARK: Pseudonyms

  /// Makes a pseudonym. Its number counts from 0. Needs the payment PIN.
  public func makePseudonym() throws(CardError) -> (index: UInt32, key: PublicKey) {
    try pseudonym(try command(0x47, 0x80, 0, [2], "GENERATE ASYMMETRIC KEY PAIR"))
  }

  /// The pseudonym of this number. Needs the payment PIN.
  public func pseudonym(_ index: UInt32) throws(CardError) -> PublicKey {
    let data = [2] + Self.bytes(index)
    return try pseudonym(try command(0x47, 0x81, 0, data, "GENERATE ASYMMETRIC KEY PAIR")).key
  }

  private func pseudonym(_ bytes: [UInt8]) throws(CardError) -> (index: UInt32, key: PublicKey) {
    guard bytes.count == 36, let key = PublicKey(bytes[4...]) else {
      throw .malformed("GENERATE ASYMMETRIC KEY PAIR")
    }
    return (Self.number(bytes[..<4]), key)
  }
}
