// Sealing and opening a file beside the tools that people use for it: age for secrecy, minisign for
// integrity. Ours does both in one pass: sealed goods are encrypted and bound to a signed contract by their
// root.

import Foundation
import Messages

enum GoodsBenchmark {
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
    let (root, length) = try runs.seal(plain, to: sealed)
    let size = UInt64(mebibytes) << 20
    expect(length == Goods.sealedLength(of: size), "sealed length")
    let names = [
      "ours seal", "ours check (root only)", "ours open", "ours seal, all cores", "age -e", "age -d",
      "minisign -S", "minisign -V",
    ]
    let times = try alternate(
      rounds: rounds, by: [wallClock, processorClock],
      [
        { expect(try runs.seal(plain).root == root, "root") },
        { expect(try runs.check(sealed) == root, "root") },
        { try runs.open(sealed, root: root, length: length) },
        { expect(try runs.sealParallel(plain, length: size) == root, "root") },
        { try tool("age", "-e", "-R", recipient, "-o", "/dev/null", plain) },
        { try tool("age", "-d", "-i", ageKey, "-o", "/dev/null", aged) },
        { try tool("minisign", "-S", "-s", secret, "-x", signature, "-m", plain) },
        { try tool("minisign", "-V", "-p", pub, "-x", signature, "-m", plain) },
      ])
    let cores = ProcessInfo.processInfo.activeProcessorCount
    print("goods: \(mebibytes) MiB to /dev/null, \(cores) cores, medians of \(rounds) alternating rounds")
    print("                               wall            processor")
    for (index, name) in names.enumerated() {
      let rates = times.map { "\(fixed(Double(size) / 1e6 / $0[index], 0)) MB/s" }
      print("  \(column(name, 24))\(rates.joined(separator: " "))  \(fixed(times[0][index], 3)) s")
    }
    printRatios(wall: times[0], processor: times[1])
  }

  /// The contestants' times in the order above.
  private static func printRatios(wall: [Double], processor: [Double]) {
    print("\n  ratios of speed, ours to theirs (over 1: ours is faster), by wall and processor time")
    let rows: [(name: String, ours: Int, theirs: [Int])] = [
      ("seal / age -e", 0, [4]), ("seal / (age -e, then minisign -S)", 0, [4, 6]),
      ("open / age -d", 2, [5]), ("open / (minisign -V, then age -d)", 2, [5, 7]),
      ("check / minisign -V", 1, [7]), ("seal on all cores / age -e", 3, [4]),
      ("seal on all cores / seal on one thread", 3, [0]),
    ]
    for row in rows {
      let ratios = [wall, processor].map { times in
        fixed(row.theirs.map { times[$0] }.reduce(0, +) / times[row.ours], 3, width: 8)
      }
      print("  \(column(row.name, 44))\(ratios.joined())")
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
