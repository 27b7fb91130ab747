// By when a paid receipt's outcome existed, as a timestamp authority of the trust list says: for a counter,
// offline.

public import Messages

extension TrustList {
  /// When the commit in a receipt existed: the timestamp is over the commit itself, or over a checkpoint of
  /// its archive's log under which the receipt's proof shows it. The receipt has to be verified by itself.
  /// - Throws: ``TimestampFault`` if it is neither, or no authority of this list signed it.
  public func date(
    _ stamp: EvidenceTimestamp, of receipt: Receipt
  ) throws(TimestampFault) -> (authority: TrustEntry, date: StampDate) {
    guard
      stamp.hashes.contains(Hash(of: receipt.p5a)) || stamp.checkpoint.map({ shows($0, receipt) }) ?? false
    else { throw .unproven("it is not about this receipt") }
    guard let dated = date(stamp) else {
      throw .unproven("no timestamp authority of the trust list signed it, or not while it was trusted")
    }
    return dated
  }

  /// Whether the receipt's proof shows its commit in the tree that this checkpoint signs.
  private func shows(_ note: [UInt8], _ receipt: Receipt) -> Bool {
    let origin = String(decoding: note.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    guard let proof = receipt.proof, let commit = try? Unverified<P5a>(receipt.p5a),
      let submission = try? Unverified<P4>(commit.claims.submission),
      let key = try? NoteKey(name: origin, kind: .log, publicKey: commit.claimedSigners[0]),
      let text = try? key.verified(note).text, let signed = try? Checkpoint(text: text),
      let own = try? LogPolicy("log \(key.vkey)\nquorum none\n")
    else { return false }
    let leaf = LogLeaf(
      kind: .commit, at: commit.claims.at,
      subject: LogLeaf.transaction(submission.claimedSigners[0], submission.claims.n),
      lock: submission.claims.lock, body: commit.hash)
    let facts = try? own.verify(proof, of: TreeHash.leaf(leaf.encoded))
    return facts.map { $0.size == signed.size && $0.root == signed.root } ?? false
  }
}
