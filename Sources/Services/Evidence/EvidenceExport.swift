// What a party hands to a judge about one purchase: every signed message that it kept, as a bundle, and
// beside it what no signed message holds.

import BlindTokens
public import Foundation
public import Messages
import Storage

/// Evidence of one purchase, as one party has it.
public struct EvidenceExport: Codable, Equatable, Sendable {
  /// A submission as it was sealed, with the seed that opens it for a judge (attack 16). It holds the key to
  /// the goods.
  public struct Sealing: Codable, Equatable, Sendable {
    /// acd-sealed/1.
    public var box: Data
    /// 32 bytes.
    public var seed: Data
  }

  /// The signed messages, complete.
  public var messages: [Data]
  /// What each of them is: "P1".
  public var labels: [String]
  /// The merchant's sealed submissions.
  public var sealings: [Sealing] = []
  /// The proof of a sealed chunk that does not open, if there is one.
  public var badChunk: Data?
  /// Ids of the tokens that paid, for whoever asks their bank about them.
  public var tokens: [String] = []
  /// Where the sealed goods are, on the party's machine: one file, or one for each purchase of a series.
  public var sealedGoods: [String] = []
  /// Proofs that outcomes among the messages are in their archives' logs.
  public var proofs: [Data] = []
  /// acd-timestamp/1: by when messages and proofs existed, as timestamp authorities say.
  public var timestamps: [Data] = []

  init(_ messages: [[UInt8]]) {
    self.messages = messages.map { Data($0) }
    labels = messages.map { (try? MessageType(peeking: $0).label) ?? "?" }
  }

  /// With the proofs that the party kept.
  func withProofs(in tx: any StoreTransaction) throws -> EvidenceExport {
    var export = self
    export.proofs = try messages.compactMap { message in
      try ProofBook.kept(Hash(of: Array(message)), in: tx).map { Data($0) }
    }
    return export
  }

  /// With the timestamps that the party kept with this machine.
  func withTimestamps(of kind: String, _ key: [UInt8], in tx: any StoreTransaction) throws -> EvidenceExport {
    var export = self
    export.timestamps = try tx.messages(kind: kind, key: key).filter { $0.label == Timestamps.label }
      .map { Data($0.bytes) }
    return export
  }

  /// What a timestamp authority dates: all messages and proofs.
  var hashes: [Hash] { (messages + proofs).map { Hash(of: Array($0)) } }

  /// acd-bundle/1: the file for `acd judge`.
  public func bundle() throws -> [UInt8] { try Messages.Bundle(messages.map { Array($0) }).encoded() }
}

extension StoreTransaction {
  /// All signed messages of one machine's log, in its order, each once.
  func signedMessages(kind: String, key: [UInt8]) throws -> [[UInt8]] {
    var result: [[UInt8]] = []
    for message in try messages(kind: kind, key: key)
    where (try? MessageType(peeking: message.bytes)) != nil && !result.contains(message.bytes) {
      result.append(message.bytes)
    }
    return result
  }
}

extension Token {
  /// Whether the blind signature holds under this denomination's key, and the key has this denomination's
  /// name.
  public func holds(under denomination: Denomination) -> Bool {
    guard keyID == denomination.id, let key = try? BlindingKey(denomination) else { return false }
    return key.isValid(signature: signature, for: id.bytes)
  }
}

extension Blinded {
  /// Whether this is the signature over it under this denomination's key.
  public func isSigned(by signature: [UInt8], under denomination: Denomination) -> Bool {
    guard keyID == denomination.id, let key = try? BlindingKey(denomination) else { return false }
    return key.isValid(blindSignature: signature, of: message)
  }
}
