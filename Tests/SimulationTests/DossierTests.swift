// What the simulator's judge is shown: all of a case. What is left out could clear an honest party.

import Judge
import Messages
import Parties
import Testing

@testable import Simulation

@Suite("Dossier")
struct DossierTests {
  private static let n = TransactionID([UInt8](repeating: 7, count: 16))!
  private static let bank = Cast.shared.members.first { $0.role == .bank }!.identity!

  private static func hash(_ number: Int) -> Hash { Hash(of: Array("\(number)".utf8)) }

  private static func consent(_ number: Int) throws -> [UInt8] {
    try Verified(
      signing: Consent(n: n, merchant: bank.key, hPO: hash(number)), with: bank.signing
    ).bytes
  }

  private static func world() -> World {
    let scenario = Scenario(seed: 1, modes: [.core], transactions: 1, liars: Coalition(letters: "B")!)
    return World(scenario, folder: Wares.root + "/dossier")
  }

  @Test("A case of many messages is shown whole, and fits into what a judge takes")
  func whole() throws {
    let world = Self.world()
    for number in 0..<1000 { world.referee.dossier.saw(try Self.consent(number), by: nil) }
    let files = world.referee.dossier.evidence(Self.n, honestOnly: false)
    #expect(files.count == 1000)
    let bundled = Dossier.bundled(files)
    #expect(bundled.count < Evidence.filesMax)
    var evidence = Evidence()
    for file in bundled { #expect(try evidence.add(file, name: "file")) }
    let shown = try bundled.flatMap { $0.first == 0xd2 ? [$0] : try MessageType.nestedMessages(in: $0) }
    #expect(Set(shown) == Set(files))
  }

  @Test("Refusals of one request are the same only with the same proof")
  func refusals() throws {
    let world = Self.world()
    let consent = try Self.consent(0)
    world.referee.dossier.saw(consent, by: nil)
    for (proof, at) in [(1, 10), (1, 20), (2, 30)] as [(Int, Timestamp)] {
      let refusal = Refusal(
        at: at, reason: .spent, hRequest: Hash(of: consent), proof: [try Self.consent(proof)], detail: nil)
      world.referee.dossier.saw(try Verified(signing: refusal, with: Self.bank.signing).bytes, by: nil)
    }
    let refused = world.referee.dossier.evidence(Self.n, honestOnly: false).compactMap {
      try? Unverified<Refusal>($0).claims.proof
    }
    #expect(Set(refused) == [[try Self.consent(1)], [try Self.consent(2)]])
    #expect(refused.count == 2)
  }

  @Test(
    "No honest bank is convicted for what it paid for a token's other approvals", arguments: [68, 82, 84])
  func approvals(seed: UInt64) async {
    let liars = Coalition.all[Int(seed) % Coalition.all.count]
    let result = await run(Scenario(seed: seed, modes: [.invoice], transactions: 6, liars: liars))
    #expect(result.violations == [])
  }
}
