// Bids at another price than the offer's: answered by policy, or by the operator.

import Messages
import Parties
import Storage

extension MerchantService {
  static let bidKind = "bid"
  /// How many bids may wait for the operator.
  static let waitingMax = 1000

  /// What a bid comes to: a sale at its price, or an answer (nil: it waits).
  func negotiate(_ n1: Verified<N1>, _ stored: StoredOffer) async throws -> (
    isAgreed: Bool, answer: [UInt8]?
  ) {
    guard let asking = stored.asking else { throw StorageError.corrupt(reason: "an offer without a price") }
    let now = node.clock()
    return try await node.store.write { [node] tx in
      // One that was agreed upon is over: the next bid of the same pseudonym begins another.
      let pointer = "bid/\(n1.signer)/\(n1.payload.offer)"
      var key = try tx.meta(pointer) ?? n1.hash.bytes
      let known = try Self.negotiation(tx, key)
      if known.phase == .agreed, known.bid != n1 { key = n1.hash.bytes }
      try tx.setMeta(pointer, key)
      return try Self.step(key, n1, in: tx, node) { machine in
        if asking.asks, machine.phase != .waiting {
          let waiting = try tx.machines(
            kind: Self.bidKind, phase: NegotiationPhase.waiting.rawValue, after: nil, limit: Self.waitingMax)
          guard waiting.count < Self.waitingMax else {
            return [.refuse(Denial(.limit, "too many bids wait for an answer: the price is \(asking.list)"))]
          }
        }
        return try machine.bid(n1, asking: asking, at: now, key: node.identity.signing)
      }
    }
  }

  /// The operator's answer to the bid of this name, H(N1).
  /// - Throws: `ServiceError.notFound` when it does not wait.
  func answerBid(_ name: Hash, _ answer: BidAnswer) async throws {
    let now = node.clock()
    try await node.store.write { [node] tx in
      let waiting = try tx.machines(
        kind: Self.bidKind, phase: NegotiationPhase.waiting.rawValue, after: nil, limit: Self.waitingMax)
      guard let row = try waiting.first(where: { try Self.negotiation(tx, $0.key).bid?.hash == name }) else {
        throw ServiceError.notFound("no bid \(name) waits for an answer")
      }
      _ = try Self.step(row.key, nil, in: tx, node) { machine in
        switch answer {
        case .accept: return machine.accepted()
        case .refuse: return machine.refused()
        case .counter(let price):
          guard let price = Money(price), price.currency == machine.bid?.payload.price.currency else {
            throw ServiceError.configuration("\(price) is no price in the offer's currency")
          }
          return try machine.countered(at: price, now: now, key: node.identity.signing)
        }
      }
    }
  }

  /// One step of a negotiation. Whatever is answered is the answer to the latest bid for good, so that the
  /// same N1 gets the same bytes.
  private static func step(
    _ key: [UInt8], _ n1: Verified<N1>?, in tx: any StoreTransaction, _ node: Node,
    _ event: (inout MerchantNegotiation) throws -> [BidEffect]
  ) throws -> (isAgreed: Bool, answer: [UInt8]?) {
    // Another copy of it came at the same time, and was answered first.
    if let n1, let known = try tx.reply(n1.hash.bytes) { return (false, known) }
    var machine = try negotiation(tx, key)
    var result: (isAgreed: Bool, answer: [UInt8]?) = (false, nil)
    let effects = try event(&machine)
    let request = n1 ?? machine.bid
    for effect in effects {
      switch effect {
      case .keep(let label, let bytes): try tx.keep(label, bytes, kind: bidKind, key: key)
      case .enter(let phase):
        try tx.putMachine(MachineRow(kind: bidKind, key: key, phase: phase.rawValue, data: []))
      case .sell: result.isAgreed = true
      case .reply(let bytes): result.answer = bytes
      case .refuse(let denial):
        result.answer = try node.refuse(denial, request: request?.bytes ?? [])
      }
    }
    if let answer = result.answer, let request {
      try tx.setReply(request.hash.bytes, answer, at: Int64(node.clock()))
    }
    return result
  }

  static func negotiation(_ tx: any StoreTransaction, _ key: [UInt8]) throws -> MerchantNegotiation {
    guard let row = try tx.machine(kind: bidKind, key: key) else { return MerchantNegotiation() }
    guard let phase = NegotiationPhase(rawValue: row.phase) else {
      throw StorageError.corrupt(reason: "unknown phase of a negotiation")
    }
    let messages = try tx.messages(kind: bidKind, key: key)
    return try MerchantNegotiation(
      phase: phase, messages: messages.map { (Label(rawValue: $0.label), $0.bytes) })
  }
}
