// What is there when a run begins: the bank's accounts and keys, the merchants' offers, goods to sell.

import Foundation
import Messages
import Services

/// Goods that are the same in all runs, on disk once for each process.
enum Wares {
  struct Ware {
    let name: String
    let price: UInt64
    /// What merchants take at the least.
    let least: UInt64
    let bytes: [UInt8]
    let digest: Hash
    var priceMoney: Money { Money(currency: "EUR", amount: price)! }
  }

  static let all: [Ware] = [
    ("leaflet.txt", 35, 25, 300), ("map.pdf", 240, 240, 17_000), ("song.ogg", 615, 500, 40_000),
  ].map { name, price, least, size in
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    return Ware(name: name, price: UInt64(price), least: UInt64(least), bytes: bytes, digest: Hash(of: bytes))
  }

  /// What is sold by invoice: for the value of one token.
  static let whole: [Ware] = zip(all, [20, 100, 500] as [UInt64]).map { ware, value in
    Ware(name: ware.name, price: value, least: value, bytes: ware.bytes, digest: ware.digest)
  }

  /// In memory where the system has such a place: /dev/shm.
  static let root: String = {
    let root = Self.root(of: ProcessInfo.processInfo.processIdentifier)
    do {
      try FileManager.default.createDirectory(atPath: root + "/wares", withIntermediateDirectories: true)
      for ware in all { try Data(ware.bytes).write(to: URL(fileURLWithPath: path(ware, in: root))) }
    } catch { preconditionFailure("no room for the simulation's goods: \(error)") }
    return root
  }()

  static func path(_ ware: Ware, in root: String) -> String { root + "/wares/" + ware.name }

  private static func root(of process: Int32) -> String {
    let shared = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    return shared + "/acd-simulation-\(process)"
  }

  /// Removes what this process left behind.
  static func clean() { try? FileManager.default.removeItem(atPath: root) }

  /// Removes what another one left behind.
  static func clean(process: Int32) { try? FileManager.default.removeItem(atPath: root(of: process)) }
}

/// Prepares the hosts of a run.
struct Setup {
  private let world: World

  init(_ world: World) { self.world = world }

  func run() {
    let lives = world.hosts.map { Life($0, number: 0) }
    world.scheduler.spawn { [world] in
      do {
        for life in lives { try await Self.prepare(life, in: world) }
      } catch { world.violate(8, "a party cannot be set up: \(error)") }
    }
    while world.scheduler.step() {}
    for life in lives { life.isAlive = false }
  }

  private static func prepare(_ life: Life, in world: World) async throws {
    let host = life.host
    try FileManager.default.createDirectory(atPath: host.directory.path, withIntermediateDirectories: true)
    switch host.member.role {
    case .bank:
      let accounts = world.cast.members.filter { member in
        let isHome =
          member.role == .merchant && world.cast.home(of: member.key) ?? host.member.key == host.member.key
        return member.role == .pseudonym || isHome
      }.map {
        RehearsedAccount(
          name: $0.name, key: $0.key, isMerchant: $0.role == .merchant,
          deposit: $0.role == .merchant ? 0 : Cast.deposit)
      }
      try await life.ground.foundBank(
        DenominationKeys.of(host.member.name), accounts: accounts, exchangeFee: 5,
        spendSeconds: world.spendSeconds, at: Cast.epoch)
      for peer in world.cast.members where peer.role == .bank && peer.key != host.member.key {
        try await life.ground.openClearing(peer.key, limit: world.clearing.limit)
      }
    case .merchant:
      let modes = world.scenario.modes
      try await offer(Wares.all, modes.filter { !Mode.invoices.contains($0) }, life, in: world)
      try await offer(Wares.whole, modes.filter(Mode.invoices.contains), life, in: world)
    default: break
    }
  }

  private static func offer(_ wares: [Wares.Ware], _ modes: [Mode], _ life: Life, in world: World)
    async throws
  {
    guard !modes.isEmpty else { return }
    for ware in wares {
      let id = Nonce.random(using: &world.generator)
      world.offered[id] = ware
      _ = try await life.ground.offer(
        Wares.path(ware, in: Wares.root), id: id, price: ware.priceMoney,
        least: ware.least < ware.price ? Money(currency: "EUR", amount: ware.least)! : nil,
        description: "One \(ware.name)", twoSided: ware.price > 500, modes: modes)
    }
  }
}
