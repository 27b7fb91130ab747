// A merchant's offers: files in its data directory and what is said of them.

import Foundation
import Messages
import Parties
import Storage

/// An offer as the merchant keeps it.
public struct StoredOffer: Codable, Equatable, Sendable {
  public var id: String
  public var price: String
  public var description: String
  /// The goods' file name as the customer sees it.
  public var name: String
  /// Where the goods are, on the merchant's machine.
  public var path: String
  public var length: UInt64
  /// SHA-256 of the goods.
  public var digest: String
  public var twoSided: Bool
  /// The protocols by which it is sold, by name; nil: core.
  public var protocols: [String]?
  /// The lowest price that is taken, such as "EUR:0.75"; nil: the price is not negotiated. Told to nobody.
  public var least: String?
  /// Whether bids below the price wait for the operator.
  public var asks: Bool?
  /// Physical goods: the keys of the offices where they can be collected; nil: the file alone is sold.
  public var offices: [String]?
  /// For how many seconds from the contract on a parcel is kept there; nil: two weeks.
  public var holdSeconds: UInt64?

  static let holdSecondsUsual: UInt64 = 14 * 86_400

  var asking: AskingPrice? {
    Money(price).map { AskingPrice(list: $0, least: least.flatMap(Money.init), asks: asks ?? false) }
  }

  /// As published.
  var published: Offer? {
    guard let price = Money(price), let id = Nonce(hex: id) else { return nil }
    return Offer(
      price: price, id: id, description: description, name: name, length: length, twoSided: twoSided,
      modes: protocols?.compactMap(Mode.init(named:)) ?? [.core],
      offices: offices?.compactMap(PublicKey.init(hex:)) ?? [])
  }
}

/// Reading and writing offers in a store.
enum OfferBook {
  private static let kind = "offer"

  /// The most that one list of offers holds (docs/acd.cddl).
  static let offersMax = 256

  /// Makes an offer, without storing it: the file is hashed now, and its content has to stay as it is.
  static func describe(
    _ path: String, price: Money, description: String, twoSided: Bool, modes: [Mode] = [.core]
  ) throws -> StoredOffer {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue
    else {
      throw ServiceError.file(path: path, reason: "is no file that can be sold")
    }
    guard description.utf8.count <= 2048 else {
      throw ServiceError.configuration("a description has at most 2048 bytes")
    }
    let url = URL(fileURLWithPath: path)
    guard url.lastPathComponent.utf8.count <= 255 else {
      throw ServiceError.configuration("a file name has at most 255 bytes")
    }
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64 ?? 0
    var generator = SystemRandomNumberGenerator()
    return StoredOffer(
      id: Nonce.random(using: &generator).description, price: price.description, description: description,
      name: url.lastPathComponent, path: url.standardizedFileURL.path, length: size,
      digest: try GoodsFiles.digest(RawFile(reading: path)).description, twoSided: twoSided,
      protocols: modes.map(\.name))
  }

  /// Puts an offer on sale.
  static func put(_ offer: StoredOffer, _ store: any Store) async throws {
    let data = Array(try JSONEncoder().encode(offer))
    try await store.write { tx in
      guard try tx.machines(kind: kind, phase: 1, after: nil, limit: offersMax).count < offersMax else {
        throw ServiceError.configuration("a merchant has at most \(offersMax) offers: remove one first")
      }
      try tx.putMachine(MachineRow(kind: kind, key: Array(offer.id.utf8), phase: 1, data: data))
    }
  }

  /// Takes an offer back; false if there is none.
  static func remove(_ id: Nonce, _ store: any Store) async throws -> Bool {
    let key = Array(id.description.utf8)
    return try await store.write { tx in
      guard try tx.machine(kind: kind, key: key) != nil else { return false }
      try tx.deleteMachine(kind: kind, key: key)
      return true
    }
  }

  static func all(_ store: any Store) async throws -> [StoredOffer] {
    try await store.read { tx in
      try tx.machines(kind: kind, phase: 1, after: nil, limit: offersMax).compactMap {
        try? JSONDecoder().decode(StoredOffer.self, from: Data($0.data))
      }
    }
  }

  static func find(_ id: Nonce, _ store: any Store) async throws -> StoredOffer? {
    try await store.read { tx in try find(id, tx) }
  }

  static func find(_ id: Nonce, _ tx: any StoreTransaction) throws -> StoredOffer? {
    try tx.machine(kind: kind, key: Array(id.description.utf8)).flatMap {
      try? JSONDecoder().decode(StoredOffer.self, from: Data($0.data))
    }
  }
}
