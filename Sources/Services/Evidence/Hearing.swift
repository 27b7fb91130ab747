// Hearing a party before it is judged: it is shown what it has to act on, over the ordinary way, and what it
// answers, a Credit, an outcome or a refusal, goes to the judge with the rest. An honest bank that nobody
// gave the record of a sale credits it now; so nobody has to be believed that it was shown.

public import Messages
import Parties

/// What a party answered to one message that it was shown.
public struct HearingAnswer: Sendable {
  /// What it was shown: "P5a".
  public let shown: String
  /// Its signed answers; none where it only took it, or gave none.
  public let answers: [[UInt8]]
  /// Whether it took what it was shown.
  public let isTaken: Bool
  /// The answers' labels, or why there is none.
  public let remark: String
}

/// Shows parties what is in the evidence against them.
public struct Hearing: Sendable {
  private let trust: TrustList
  private let transport: any PeerLink
  /// Evidence can be long, and a party is asked by each message.
  private static let questionsMax = 512

  /// Trusts the certificates in `caPEM`. `proxy`: "socks5h://HOST:PORT". Call `close` afterwards.
  public init(trust: LoadedTrust, caPEM: [UInt8], proxy: String? = nil) throws {
    (self.trust, transport) = (trust.list, try Transport(caPEM: caPEM, proxy: proxy))
  }

  public func close() async throws { try await transport.shutdown() }

  /// Asks every party of this role, name or key, and gives what each of them answered, in the evidence's
  /// order. Fails if the trust list has none with an address, or there is nothing to show it.
  public func hear(_ name: String, on evidence: [[UInt8]]) async throws -> [HearingAnswer] {
    let parties = trust.entries.filter {
      ($0.role.name == name || $0.isCalled(name)) && $0.url != nil && Self.isShown[$0.role] != nil
    }
    guard !parties.isEmpty else {
      throw ServiceError.notFound("the trust list has no bank or archive \(name) with an address")
    }
    var answers: [HearingAnswer] = []
    for party in parties {
      for message in questions(to: party, in: evidence) {
        answers.append(await show(message, to: party))
      }
    }
    guard !answers.isEmpty else { throw ServiceError.notFound("the evidence has nothing to show \(name)") }
    return answers
  }

  private func show(_ message: [UInt8], to party: TrustEntry) async -> HearingAnswer {
    let first = (try? Messages.Bundle(encoded: message))?.messages.first ?? message
    let label = (try? MessageType(peeking: first).label) ?? ""
    func failed(_ why: String) -> HearingAnswer {
      HearingAnswer(
        shown: label, answers: [], isTaken: false, remark: "\(party.name) does not answer: \(why)")
    }
    do {
      let reply = try await transport.send(
        "POST", url: (party.url ?? "") + messagesPath, body: message, contentType: mediaType(of: message))
      guard (200..<300).contains(reply.status) else { return failed("status \(reply.status)") }
      let said = (try? Messages.Bundle(encoded: reply.body))?.messages ?? [reply.body]
      let signed = said.filter { (try? MessageType(peeking: $0)) != nil }
      let labels = signed.compactMap { try? MessageType(peeking: $0).label }.joined(separator: ", ")
      let remark = labels.isEmpty ? "took it" : "answers: \(labels)"
      return HearingAnswer(shown: label, answers: signed, isTaken: true, remark: "\(party.name) \(remark)")
    } catch { return failed("\(error)") }
  }

  // MARK: What is shown to whom

  /// A bank acts on outcomes, transfers and agreed refunds, an archive is asked for the outcome of a lock; a
  /// bank that is its own archive is asked for both.
  private static let isShown: [Role: Set<MessageType>] = [
    .bank: [
      .p5a, .p5b, .p5c, .e7a, .e7b, .r10a, .r10b, .a9a, .a9b, .ja5a, .ja5b, .jb4a, .jb4b, .ja3,
      .rf2, .bt1, .bt3,
    ],
    .archive: [.p3, .e3, .r3, .a7],
  ]

  /// The messages in the evidence, also inside others, that this party has to hear: locks before outcomes,
  /// and these before refunds of what they pay. What a bank refuses once, it refuses for good.
  private func questions(to party: TrustEntry, in evidence: [[UInt8]]) -> [[UInt8]] {
    guard let types = Self.isShown[party.role] else { return [] }
    let questionsMax = Self.questionsMax
    var (found, seen, level): ([[UInt8]], [Hash: [UInt8]], [[UInt8]]) = ([], [:], evidence)
    while !level.isEmpty, seen.count < 16 * questionsMax {
      level = level.filter { seen.updateValue($0, forKey: Hash(of: $0)) == nil }
      found += level.filter { (try? MessageType(peeking: $0)).map(types.contains) ?? false }
      level = level.flatMap { (try? MessageType.nestedMessages(in: $0)) ?? [] }
    }
    let (refunds, rest) = (found.filter(Self.isRefund), found.filter { !Self.isRefund($0) })
    return Array((rest + refunds.map { withLock($0, of: party, seen) }).prefix(questionsMax))
  }

  /// RF2 as this bank takes it: with the lock beside it, where another bank made that.
  private func withLock(_ rf2: [UInt8], of party: TrustEntry, _ locks: [Hash: [UInt8]]) -> [UInt8] {
    guard let order = try? Unverified<RF2>(rf2), trust.home(of: order.claimedSigners[0]) == party.key,
      let lock = locks[order.claims.lock],
      let bank = (try? WitnessedLock(lock, trust: trust))?.bank, bank != party.key
    else { return rf2 }
    return (try? Messages.Bundle([rf2, lock]).encoded()) ?? rf2
  }

  private static func isRefund(_ message: [UInt8]) -> Bool { (try? MessageType(peeking: message)) == .rf2 }
}
