// fin() at the archive: heads are cosigned by the policy's witnesses, outcomes are let go once a quorum has,
// and their proofs are served.
//
// Invariants: what a policy demands a proof of, the archive shows nobody without one, the key in a commit
// least of all (attack 4: a commit that misses its cosignatures gives nothing away); copies leave in the
// step behind the one that keeps the cosigned checkpoint. What a witness says counts by signature: its
// cosignature, or this log's own checkpoint that is ahead of what is here.

import Foundation
import Messages
import Parties
import Storage
import TransparencyLog

/// The last head that a quorum has cosigned.
struct FinalHead: Sendable {
  private static let key = "log final"
  private static let releasedKey = "log released"

  var size: UInt64 = 0
  /// When it was cosigned, by this archive's clock.
  var at: Timestamp = 0
  /// The checkpoint with its cosignatures.
  var note: [UInt8] = []

  static func stored(_ tx: any StoreTransaction) throws -> FinalHead? {
    guard let bytes = try tx.meta(key), bytes.count > 16 else { return nil }
    return FinalHead(
      size: RowKey.value(Array(bytes[..<8])), at: RowKey.value(Array(bytes[8..<16])),
      note: Array(bytes[16...]))
  }

  func store(in tx: any StoreTransaction) throws {
    try tx.setMeta(Self.key, RowKey.number(size) + RowKey.number(at) + note)
  }

  /// How many entries a quorum has seen.
  static func size(_ tx: any StoreTransaction) throws -> UInt64 { try stored(tx)?.size ?? 0 }

  /// Whether an outcome may be shown: its entry is below the `size` that a quorum has seen. One whose body is
  /// gone is long ended.
  static func has(_ body: [UInt8], below size: UInt64, in tx: any StoreTransaction) throws -> Bool {
    if body.isEmpty { return true }
    guard let index = try tx.meta(LogRows.leaf(Hash(of: body))).map(RowKey.value) else { return false }
    return index < size
  }

  // MARK: Copies that wait

  private static let copies = "log copy"

  /// Keeps a copy for a peer until the outcome is final.
  static func keepBack(_ bytes: [UInt8], for peer: PublicKey, in tx: any StoreTransaction) throws {
    try tx.append(kind: copies, key: Hash(of: bytes).bytes, label: peer.description, bytes: bytes)
  }

  /// Queues the copies of entries below `size`, some of them at a time; false when all are queued.
  static func release(below size: UInt64, at now: Timestamp, in tx: any StoreTransaction) throws -> Bool {
    let mark = try tx.meta(releasedKey) ?? RowKey.number(0) + RowKey.number(0)
    let (row, done) = (Int64(RowKey.value(Array(mark[..<8]))), RowKey.value(Array(mark[8...])))
    guard done < size else { return false }
    let rows = try LogRows.after(row, limit: Int(min(size - done, 500)), tx)
    guard let last = rows.last else { return false }
    for row in rows {
      let body = try LogLeaf(encoded: row.bytes).body
      let waiting = try tx.messages(kind: copies, key: body.bytes)
      for copy in waiting {
        if let peer = PublicKey(hex: copy.label) { try tx.send(copy.bytes, to: peer, at: now) }
      }
      if !waiting.isEmpty { try tx.deleteMessages(kind: copies, key: body.bytes) }
    }
    try tx.setMeta(
      releasedKey, RowKey.number(UInt64(last.sequence)) + RowKey.number(done + UInt64(rows.count)))
    return true
  }
}

extension ArchiveLog {
  /// Whether outcomes wait for a quorum.
  nonisolated var demandsQuorum: Bool { policy != nil }

  /// Throws where nothing more may be decided: this log is an old copy, or forked.
  func requireSound() throws {
    guard fault == nil else {
      throw Problem.busy("Stopped", "This archive's log has stopped; its operator has to look at it.")
    }
  }

  /// Throws unless the outcome of this lock, if there is one, may be shown.
  func requireFinal(_ lock: Hash) async throws {
    guard policy != nil else { return }
    let isFinal = try await node.store.read { tx in
      try tx.record(lock: lock.bytes).map { try FinalHead.has($0.body, below: FinalHead.size(tx), in: tx) }
        ?? true
    }
    guard isFinal else { throw NotFinal(archive: node.identity.name) }
  }

  // MARK: Cosigning

  /// Has the policy's witnesses cosign the head, and lets go of what is final by it.
  func finalise() async throws {
    guard let policy else { return }
    let (head, now) = (writer.head, node.clock())
    if head.size > 0, head.size > final.size || !isKnown || isStale(at: now) {
      let note = try head.checkpoint(key.name).signed(as: key, with: node.identity.signing)
      guard let whole = await cosigned(note, head, policy) else {
        node.logger.warning("no quorum of witnesses has cosigned the log: outcomes wait for it")
        return
      }
      try publish(whole)
      let reached = FinalHead(size: head.size, at: now, note: whole)
      try await node.store.write { try reached.store(in: $0) }
      (final, isKnown) = (reached, true)
    }
    let size = final.size
    guard released < size else { return }
    while try await node.store.write({ try FinalHead.release(below: size, at: now, in: $0) }) {}
    released = size
  }

  /// Whether the last cosignatures are half as old as anybody allows.
  private func isStale(at now: Timestamp) -> Bool {
    guard let age = node.trust.list.checkpointAgeSeconds, now > final.at else { return false }
    return now - final.at > age / 2
  }

  /// The checkpoint with the cosignatures of a quorum; nil without one.
  private func cosigned(_ note: [UInt8], _ head: LogHead, _ policy: LogPolicy) async -> [UInt8]? {
    if (try? policy.verify(note)) != nil { return note }
    return await withTaskGroup(of: [UInt8]?.self) { group in
      for (witness, url) in policy.witnesses {
        guard let url else { continue }
        group.addTask { await self.line(of: witness, at: url, over: note, head) }
      }
      var whole = note
      defer { group.cancelAll() }
      for await line in group {
        guard let line else { continue }
        whole += line
        if (try? policy.verify(whole)) != nil { return whole }
      }
      return nil
    }
  }

  /// A witness's cosignature; nil if it gives none now.
  private func line(of witness: NoteKey, at url: String, over note: [UInt8], _ head: LogHead) async
    -> [UInt8]?
  {
    do {
      // Twice: the first answer may say how far the witness is.
      for _ in 0..<2 {
        let old = min(witnessed[witness.name] ?? 0, head.size)
        let tree = LogTree(size: head.size, reading: writer.storage.object)
        let body = AddCheckpoint(old: old, path: try tree.consistency(with: old), note: note).body
        let reply = try await node.transport.send(
          "POST", url: url + "/add-checkpoint", body: body, contentType: "text/plain")
        switch reply.status {
        case 200:
          guard (try? witness.verified(note + reply.body)) != nil else { return nil }
          witnessed[witness.name] = head.size
          return reply.body
        case 409:
          let text = String(decoding: reply.body.prefix(24), as: UTF8.self)
          guard let size = UInt64(text.split(separator: "\n").first ?? "") else { return nil }
          guard size <= head.size else { return try await compare(with: url, head) }
          witnessed[witness.name] = size
        case 422: return try await compare(with: url, head)
        default: return nil
        }
      }
    } catch {
      fault = fault ?? error as? LogFault
      node.logger.debug("a witness did not cosign", metadata: ["why": "\(error)"])
    }
    return nil
  }

  /// What a witness has of this log, if it signed more than is here, or something else: then this is an old
  /// copy of the storage, and there must be no second history.
  private func compare(with url: String, _ head: LogHead) async throws -> [UInt8]? {
    let log = Hash(of: Array(key.name.utf8))
    let reply = try await node.transport.send(
      "GET", url: "\(url)/\(log)/checkpoint", body: nil, contentType: nil)
    guard reply.status == 200, let text = try? key.verified(reply.body).text,
      let checkpoint = try? Checkpoint(text: text), checkpoint.origin == key.name
    else { return nil }
    guard checkpoint.size <= head.size else {
      throw LogFault.behind(size: head.size, seen: checkpoint.size)
    }
    let tree = LogTree(size: checkpoint.size, reading: writer.storage.object)
    guard try tree.root() == checkpoint.root else { throw LogFault.forked(size: checkpoint.size) }
    return nil
  }

  // MARK: Proofs

  /// The proof of an outcome, by the hash of its complete bytes: a tlog-proof. `dated`: under the first
  /// checkpoint that a timestamp authority has dated.
  func proof(_ call: HTTPCall) async throws -> HTTPReply {
    guard let outcome = call.parameters["outcome"].flatMap(Hash.init(hex:)) else {
      throw Problem.badRequest("an outcome's hash is 64 hexadecimal digits")
    }
    let index = try await node.store.read { try $0.meta(LogRows.leaf(outcome)).map(RowKey.value) }
    var (size, note) = policy == nil ? (writer.size, try published()) : (final.size, final.note)
    guard let index, index < size else { throw Problem.notFound("the log does not show this outcome yet") }
    if call.query["dated"] != nil {
      guard let certified = try certified(covering: index) else {
        throw Problem.notFound("no dated checkpoint has this outcome")
      }
      (size, note) = certified
    }
    let tree = LogTree(size: size, reading: writer.storage.object)
    let text = TlogProof.text(
      index: index, path: try tree.inclusion(of: index), checkpoint: note, extra: try tree.entry(index))
    return HTTPReply(status: 200, contentType: "text/plain; charset=utf-8", body: .bytes(text))
  }

  private func published() throws -> [UInt8] {
    guard let note = try writer.storage.checkpoint() else {
      throw Problem.notFound("nothing is published yet")
    }
    return note
  }
}
