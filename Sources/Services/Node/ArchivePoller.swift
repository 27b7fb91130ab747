// The polling route of completion (protocols.md §5): a bank or merchant reads in ranges what the archives'
// records have of its own, instead of or beside being told. Each record is handled like a message that came
// in; receivers are idempotent.

import Messages
import Storage

/// Reads on where it stopped, archive by archive.
struct ArchivePoller: Sendable {
  let node: Node
  /// Pages at one time: the rest comes with the next.
  private static let pagesMax = 100
  /// Handles one record.
  let handle: @Sendable ([UInt8]) async -> Void

  /// Reads all new records of all archives in the trust list that are this party's.
  func poll() async {
    for archive in node.trust.list.entries where archive.role == .archive && archive.sealingKey != nil {
      do { for _ in 0..<Self.pagesMax where try await !page(archive) { break } } catch {
        node.logger.debug("an archive could not be polled", metadata: ["archive": "\(archive.name)"])
      }
    }
  }

  /// Handles one page; false when there was nothing new.
  private func page(_ archive: TrustEntry) async throws -> Bool {
    guard archive.url != nil else { return false }
    let mark = "poll/\(archive.key)"
    let after = try await node.store.read { try $0.meta(mark) }.map(RowKey.value) ?? 0
    var randomness = node.surroundings.randomness
    let page = try await RecordReader(identity: node.identity, transport: node.transport)
      .page(of: archive, after: after, nonce: .random(using: &randomness))
    for outcome in page.outcomes { await handle(outcome) }
    guard page.next > after else { return false }
    try await node.store.write { try $0.setMeta(mark, RowKey.number(page.next)) }
    return true
  }
}
