// A cheating archive against a witness that follows it and a monitor that copies it: every cheat is caught
// by one of them, and the judge convicts the archive on what was written down; an honest archive is never
// suspected.
//
// ACD_CHEATS says how many seeds (default 100); a failure names its seed.

import Foundation
import Judge
import Messages
import Parties
import Testing
import TransparencyLog

@testable import Services

/// A log's storage in memory.
private final class MemoryStorage: LogStorage {
  private var objects: [String: [UInt8]] = [:]
  private var durable: LogHead?
  private var note: [UInt8]?

  func head() -> LogHead? { durable }
  func object(_ path: String) -> [UInt8]? { objects[path] }
  func store(_ new: [LogObject], from: LogHead, to: LogHead) -> Bool {
    guard durable ?? .empty == from else { return false }
    for object in new { objects[object.path] = object.bytes }
    durable = to
    return true
  }
  func checkpoint() -> [UInt8]? { note }
  func publish(_ note: [UInt8]) {
    self.note = note
    objects[LogPath.checkpoint] = note
  }
  func discard(_ prefixes: [String]) {}
}

/// What readers are shown: whichever storage the archive likes.
private final class Shown: LogFiles, @unchecked Sendable {  // one task at a time uses it
  var storage: MemoryStorage
  init(_ storage: MemoryStorage) { self.storage = storage }
  func object(_ path: String) async throws -> [UInt8]? { storage.object(path) }
}

private struct Dice: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }
}

/// What an archive may do that it must not.
private enum Cheat: CaseIterable {
  case secondOutcome, secondCommit, rewritten, dropped, reordered, backDated, splitView, unreadable
}

/// An archive's log as a test runs it, with its witness and its monitor.
private struct Scene {
  static let url = "https://archive.example"
  let key: NoteKey
  let witnessKey: NoteKey
  let policy: LogPolicy
  let trust: TrustList
  var dice: Dice
  var now: Timestamp = 1_767_225_600
  var entries: [[UInt8]] = []

  init(_ seed: UInt64) throws {
    dice = Dice(seed)
    key = try NoteKey(name: "archive.example/log", kind: .log, publicKey: publicKey(Actor.archive))
    witnessKey = try NoteKey(name: "w.example", kind: .cosigner, publicKey: publicKey(Actor.witnesses[0]))
    let text = "log \(key.vkey)\nwitness w \(witnessKey.vkey)\nquorum w\n"
    policy = try LogPolicy(text)
    trust = TrustList(
      at: 1, until: now * 2, sequence: 0, previous: nil,
      entries: [
        TrustEntry(
          role: .archive, name: "archive", key: publicKey(Actor.archive), from: 1, until: now * 2)
      ], answerSeconds: 1, skewSeconds: 60, lifetimeSeconds: 10, goodsLengthMax: 1 << 30, policy: text)
  }

  mutating func below(_ bound: Int) -> Int { Int(dice.next() % UInt64(bound)) }

  /// The next entry of an honest archive.
  mutating func outcome() -> LogLeaf {
    now += UInt64(below(20))
    return LogLeaf(
      kind: below(3) == 0 ? .abort : .commit, at: now, subject: .random(using: &dice),
      lock: .random(using: &dice), body: .random(using: &dice))
  }

  mutating func grow(by count: Int) { for _ in 0..<count { entries.append(outcome().encoded) } }

  /// A signed log of these entries; cosigned by the witness, if it is.
  func storage(_ entries: [[UInt8]], cosigned: Bool) throws -> MemoryStorage {
    let storage = MemoryStorage()
    var writer = try LogWriter(
      opening: storage, key: key, isNew: true,
      sign: { head in
        let checkpoint = head.checkpoint(key.name)
        let note = try checkpoint.signed(as: key, with: signingKey(Actor.archive))
        guard cosigned else { return note }
        return try note
          + signingKey(Actor.witnesses[0]).noteLine(witnessKey, over: checkpoint.text(), at: now)
      })
    try writer.append(entries)
    return storage
  }

  /// What the archive does to its log; returns what it shows then.
  mutating func cheat(_ cheat: Cheat) throws -> [[UInt8]] {
    var forged = entries
    let place = below(entries.count)
    let known = try LogLeaf(encoded: entries[place])
    now += 200
    switch cheat {
    case .secondOutcome:
      let kind: LogLeaf.Kind = known.kind == .commit ? .abort : .commit
      forged.append(
        LogLeaf(
          kind: kind, at: now, subject: known.subject, lock: known.lock, body: .random(using: &dice)
        ).encoded)
    case .secondCommit:
      for _ in 0..<2 {
        forged.append(
          LogLeaf(
            kind: .commit, at: now, subject: Hash(of: [7]), lock: .random(using: &dice),
            body: .random(using: &dice)
          ).encoded)
      }
    case .rewritten, .splitView:
      forged[place] =
        LogLeaf(
          kind: known.kind, at: known.at, subject: known.subject, lock: known.lock,
          body: .random(using: &dice)
        ).encoded
      if cheat == .rewritten { forged.append(outcome().encoded) }
    case .dropped:
      forged.remove(at: place)
      for _ in 0...below(3) { forged.append(outcome().encoded) }
    case .reordered:
      let other = (place + 1 + below(entries.count - 1)) % entries.count
      forged.swapAt(place, other)
      if below(2) == 0 { forged.append(outcome().encoded) }
    case .backDated:
      // Older than an entry before it, or older than what witnesses saw without it.
      let at = below(2) == 0 ? try LogLeaf(encoded: entries.last!).at - 1 : now - 200 - 95
      forged.append(
        LogLeaf(
          kind: .commit, at: at, subject: .random(using: &dice), lock: .random(using: &dice),
          body: .random(using: &dice)
        ).encoded)
    case .unreadable: forged.append([9, 9, 9])
    }
    return forged
  }
}

@Suite("A cheating archive")
struct CheatingArchiveTests {
  private static let count =
    ProcessInfo.processInfo.environment["ACD_CHEATS"].flatMap { UInt64($0) } ?? 100

  /// Whether the two who watch suspect what is shown after what was shown before, and what they write down.
  private func watched(
    _ scene: Scene, honest: [[UInt8]], then shown: [[UInt8]]
  ) async throws -> (witness: Bool, evidence: [Data], findings: [LogFinding]) {
    let before = try scene.storage(honest, cosigned: true)
    let after = try scene.storage(shown, cosigned: false)
    // The witness: consistency, and every entry.
    let slack = scene.trust.skewSeconds + LogCosigner.delaySeconds
    var follower = try LogMonitor(
      LogFollower(outcomes: OutcomesInMemory(), skewSeconds: slack), reading: before.object)
    _ = try follower.advance(to: before.head()!, cosignedAt: 0, reading: before.object)
    let refuses: Bool
    do {
      refuses = try !follower.advance(to: after.head()!, cosignedAt: scene.now - 200, reading: after.object)
        .isEmpty
    } catch { refuses = true }
    // The monitor.
    let files = Shown(before)
    let mirror = try LogMirror(
      scene.key, policy: scene.policy, files: files, storage: MemoryStorage(),
      skewSeconds: scene.trust.skewSeconds)
    let first = try await mirror.look()
    #expect(first.findings.isEmpty && first.hasQuorum == true)
    files.storage = after
    let second = try await mirror.look()
    return (refuses, second.findings.flatMap(\.proofs), second.findings)
  }

  private func convicts(_ scene: Scene, _ evidence: [Data]) throws -> Bool {
    var collected = Evidence()
    for proof in evidence { #expect(try collected.add(Array(proof), name: "proof")) }
    let judgment = Judge(trust: scene.trust, now: scene.now).decide(collected)
    let convictions = judgment.verdicts.filter { $0.finding == .convicted }
    return !convictions.isEmpty
      && convictions.allSatisfy { $0.dispute == .historyRewritten && $0.against?.key == scene.key.publicKey }
  }

  @Test("every cheat is caught, and the judge convicts; honesty never is suspected")
  func caught() async throws {
    for seed in 1...Self.count {
      var scene = try Scene(seed)
      scene.grow(by: 2 + scene.below(30))
      let honest = scene.entries
      let cheat = Cheat.allCases[Int(seed) % Cheat.allCases.count]
      var cheater = scene
      let shown = try cheater.cheat(cheat)
      let (refused, evidence, findings) = try await watched(cheater, honest: honest, then: shown)
      #expect(refused, "seed \(seed), \(cheat): the witness cosigns it")
      #expect(!findings.isEmpty, "seed \(seed), \(cheat): the monitor finds nothing")
      #expect(try convicts(cheater, evidence), "seed \(seed), \(cheat): the judge convicts nobody")
      // The same archive without the cheat.
      scene.now += 200
      scene.grow(by: scene.below(5))
      let (suspected, nothing, none) = try await watched(scene, honest: honest, then: scene.entries)
      #expect(!suspected && nothing.isEmpty && none.isEmpty, "seed \(seed): an honest archive is suspected")
    }
  }
}
