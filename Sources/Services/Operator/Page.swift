// Part of a list that may be long: a task answers one page, whoever asks goes on until there is none.

import Messages
import Storage

/// One page. Its rows come in the order of their keys.
struct Page<Item: Codable & Sendable>: Codable, Sendable {
  /// How many rows a page has at the most.
  static var rowsMax: Int { 200 }

  var items: [Item]
  /// Behind which key the next page begins, hexadecimal; nil at the end.
  var next: String?

  /// The page behind the key `after`, hexadecimal. Rows without an item are passed over.
  init(
    of kind: String, after: String?, in tx: any StoreTransaction, _ item: (MachineRow) throws -> Item?
  ) throws {
    let rows = try tx.machines(
      kind: kind, phase: nil, after: after.flatMap { Hex.decode($0) }, limit: Self.rowsMax)
    items = try rows.compactMap(item)
    next = rows.count == Self.rowsMax ? rows.last.map { Hex.encode($0.key) } : nil
  }
}
