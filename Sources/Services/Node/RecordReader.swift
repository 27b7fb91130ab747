// Reading an archive's record in ranges, as a key of the trust list: what the archive shows this key.

import Messages

/// A reader of records.
struct RecordReader: Sendable {
  let identity: Identity
  let transport: any PeerLink

  /// Outcomes, and the number behind which to go on: the one that was asked for when nothing is there.
  struct Page {
    let outcomes: [[UInt8]]
    let next: UInt64
  }

  /// One page of the record behind `after`.
  /// - Throws: ``RefusedByPeer`` if the archive shows this key nothing.
  func page(of archive: TrustEntry, after: UInt64, nonce: Nonce) async throws -> Page {
    guard let url = archive.url else {
      throw ServiceError.configuration("the trust list has no address for \(archive.name)")
    }
    let query = try Verified(
      signing: StatusQuery(record: archive.key, after: after, nonce: nonce), with: identity.signing)
    let reply = try await transport.send(
      "POST", url: url + messagesPath, body: query.bytes, contentType: coseMediaType)
    guard reply.status == 200 else {
      throw ServiceError.unreachable("\(archive.name) answered HTTP \(reply.status)")
    }
    if let refusal = try? Verified<Refusal>(reply.body, by: .key(archive.key)) {
      throw RefusedByPeer(refusal: refusal)
    }
    let answer = try Verified<StatusAnswer>(
      identity.sealing.open(SealedMessage(encoded: reply.body).box), by: .key(archive.key))
    guard answer.payload.hQuery == query.hash, let next = answer.payload.next, next >= after else {
      throw ServiceError.protocolViolation("\(archive.name) answers another question")
    }
    return Page(outcomes: answer.payload.proof, next: next)
  }
}
