// Sealing and opening a file beside the tools that people use for it: age for secrecy, minisign for
// integrity. Ours does both in one pass: sealed goods are encrypted and bound to a signed contract by their
// root. The goal is to be at least as fast as either of them alone, on the wall.

import Foundation
import Messages
import Services

enum GoodsBenchmark {
  /// The contestants, in the order in which they are printed.
  private enum Contestant: Int, CaseIterable {
    case seal, open, openDigesting, check, sealAlone, openAlone, ageSeal, ageOpen, minisign, minisignVerify
    case bare

    var name: String {
      switch self {
      case .seal: "ours seal"
      case .open: "ours open"
      case .openDigesting: "ours open, with digest"
      case .check: "ours check (root only)"
      case .sealAlone: "ours seal, one thread"
      case .openAlone: "ours open, one thread"
      case .ageSeal: "age -e"
      case .ageOpen: "age -d"
      case .minisign: "minisign -S"
      case .minisignVerify: "minisign -V"
      case .bare: "bare cipher and hash"
      }
    }
  }

  static func run(mebibytes: Int, rounds: Int) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "acd-bench-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appending(path: name).path }
    let (plain, sealed) = (path("plain"), path("sealed"))
    let (aged, ageKey, recipient) = (path("aged"), path("age.key"), path("age.pub"))
    let (secret, pub, signature) = (path("m.key"), path("m.pub"), path("m.sig"))
    writeRandom(plain, mebibytes: mebibytes)
    try tool("age-keygen", "-o", ageKey)
    try tool("age-keygen", "-y", "-o", recipient, ageKey)
    try tool("age", "-e", "-R", recipient, "-o", aged, plain)
    try tool("minisign", "-G", "-W", "-s", secret, "-p", pub)
    try tool("minisign", "-S", "-s", secret, "-x", signature, "-m", plain)

    let runs = GoodsRuns()
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let goods = try runs.seal(plain, to: sealed)
    let digest = try runs.open(sealed, goods, digesting: true)
    let size = mebibytes << 20
    expect(goods.length == Goods.sealedLength(of: UInt64(size)), "sealed length")
    let times = try alternate(
      rounds: rounds, by: [wallClock, processorClock],
      Contestant.allCases.map { contestant in
        switch contestant {
        case .seal: { expect(try runs.seal(plain) == goods, "root") }
        case .open: { _ = try runs.open(sealed, goods) }
        case .openDigesting:
          {
            expect(try runs.open(sealed, goods, digesting: true) == digest, "digest")
          }
        case .check: { expect(try runs.check(sealed) == goods.root, "root") }
        case .sealAlone: { expect(try runs.seal(plain, threads: 1) == goods, "root") }
        case .openAlone: { _ = try runs.open(sealed, goods, threads: 1) }
        case .ageSeal: { try tool("age", "-e", "-R", recipient, "-o", "/dev/null", plain) }
        case .ageOpen: { try tool("age", "-d", "-i", ageKey, "-o", "/dev/null", aged) }
        case .minisign: { try tool("minisign", "-S", "-s", secret, "-x", signature, "-m", plain) }
        case .minisignVerify: { try tool("minisign", "-V", "-p", pub, "-x", signature, "-m", plain) }
        case .bare: { runs.bare(bytes: size, threads: cores) }
        }
      })
    print("goods: \(mebibytes) MiB to /dev/null, \(cores) cores, medians of \(rounds) alternating rounds")
    print("                               wall            processor")
    for contestant in Contestant.allCases {
      let rates = times.map { "\(fixed(Double(size) / 1e6 / $0[contestant.rawValue], 0)) MB/s" }
      let seconds = fixed(times[0][contestant.rawValue], 3)
      print("  \(column(contestant.name, 24))\(rates.joined(separator: " "))  \(seconds) s")
    }
    printRatios(wall: times[0], processor: times[1])
  }

  private static func printRatios(wall: [Double], processor: [Double]) {
    func ratio(_ times: [Double], _ ours: Contestant, _ theirs: [Contestant]) -> Double {
      theirs.map { times[$0.rawValue] }.reduce(0, +) / times[ours.rawValue]
    }
    print("\n  ratios of speed, ours to theirs (over 1: ours is faster), by wall and processor time")
    let goals: [(name: String, ours: Contestant, theirs: Contestant)] = [
      ("seal / age -e", .seal, .ageSeal), ("open / age -d", .open, .ageOpen),
      ("seal / minisign -S", .seal, .minisign), ("open / minisign -V", .open, .minisignVerify),
      ("open with digest / age -d", .openDigesting, .ageOpen),
      ("open with digest / minisign -V", .openDigesting, .minisignVerify),
    ]
    for row in goals {
      let reached = ratio(wall, row.ours, [row.theirs])
      let ratios = fixed(reached, 3, width: 8) + fixed(ratio(processor, row.ours, [row.theirs]), 3, width: 8)
      print("  \(column(row.name, 40))\(ratios)   goal >= 1.0: \(reached >= 1 ? "met" : "not met")")
    }
    let others: [(name: String, ours: Contestant, theirs: [Contestant])] = [
      ("seal / (age -e, then minisign -S)", .seal, [.ageSeal, .minisign]),
      ("open / (minisign -V, then age -d)", .open, [.minisignVerify, .ageOpen]),
      ("check / minisign -V", .check, [.minisignVerify]), ("seal / one thread", .seal, [.sealAlone]),
      ("seal / bare cipher and hash", .seal, [.bare]), ("bare cipher and hash / age -e", .bare, [.ageSeal]),
    ]
    for row in others {
      let ratios = [wall, processor].map { fixed(ratio($0, row.ours, row.theirs), 3, width: 8) }
      print("  \(column(row.name, 40))\(ratios.joined())")
    }
  }

  private static func column(_ text: String, _ width: Int) -> String {
    text.padding(toLength: width, withPad: " ", startingAt: 0)
  }

  private static func writeRandom(_ path: String, mebibytes: Int) {
    let random = File(reading: "/dev/urandom")
    let file = File(writing: path)
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { block.deallocate() }
    for _ in 0..<mebibytes {
      expect(random.fill(block) == block.count, "urandom")
      file.put(UnsafeRawBufferPointer(block))
    }
  }
}
