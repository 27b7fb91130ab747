// The polling route of completion (protocols.md §5): a bank or merchant reads the archives' records in
// ranges, instead of or beside being told. Each record is handled like a message that came in; receivers
// are idempotent.

import Messages
import Storage

/// Reads on where it stopped, archive by archive.
struct ArchivePoller: Sendable {
  let node: Node
  /// Handles one record.
  let handle: @Sendable ([UInt8]) async -> Void

  /// Reads all new records of all archives in the trust list.
  func poll() async {
    for archive in node.trust.list.entries where archive.role == .archive {
      do { while try await page(archive) {} } catch {
        node.logger.debug("an archive could not be polled", metadata: ["archive": "\(archive.name)"])
      }
    }
  }

  /// Handles one page; false when there was nothing new.
  private func page(_ archive: TrustEntry) async throws -> Bool {
    guard let url = archive.url else { return false }
    let mark = "poll/\(archive.key)"
    let after =
      try await node.store.read { try $0.meta(mark) }.map(RowKey.value) ?? 0
    let reply = try await node.transport.send(
      "GET", url: "\(url)/v1/records?after=\(after)", body: nil, contentType: nil)
    if reply.status == 410 { return try await skip(url, to: mark, from: after) }
    guard reply.status == 200 else { return false }
    let records = try Messages.Bundle(encoded: reply.body).messages
    for record in records { await handle(record) }
    guard !records.isEmpty else { return false }
    let next = RowKey.number(after + UInt64(records.count))
    try await node.store.write { try $0.setMeta(mark, next) }
    return true
  }

  /// Goes on behind the records that the archive has no more.
  private func skip(_ url: String, to mark: String, from after: UInt64) async throws -> Bool {
    let reply = try await node.transport.send(
      "GET", url: "\(url)/v1/records/first", body: nil, contentType: nil)
    let text = String(decoding: reply.body.prefix(20), as: UTF8.self)
    guard reply.status == 200, let gone = UInt64(text), gone > after else { return false }
    try await node.store.write { try $0.setMeta(mark, RowKey.number(gone)) }
    return true
  }
}
