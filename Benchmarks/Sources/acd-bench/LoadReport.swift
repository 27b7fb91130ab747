// The load's results as tables.

import Foundation

enum LoadReport {
  /// The runs of one kind of purchase; `bare` is the seconds of bare cryptography in each.
  static func table(_ results: [LoadResult], bare: Double) {
    let cores = Double(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let floor = cores / bare
    print("\n\(results[0].tokens) token(s) a purchase")
    print(
      "  customers  purchases/s    p50 ms    p90 ms    p99 ms    max ms  first ms   settle s   of floor")
    for result in results {
      let times = result.timed.map { $0.seconds * 1000 }.sorted()
      let first = result.first.map { $0.seconds * 1000 }.sorted()
      let rate = Double(times.count) / result.seconds
      print(
        "  \(fixed(Double(result.concurrency), 0)) \(fixed(rate, 1, width: 12))"
          + [0.5, 0.9, 0.99, 1].map { " " + fixed(percentile(times, $0), 1) }.joined()
          + " \(fixed(percentile(first, 0.5), 1)) \(fixed(result.settling, 1, width: 10))"
          + " \(fixed(rate / floor, 3, width: 10))")
    }
    print(
      "  crypto floor \(fixed(floor, 0, width: 6)) purchases/s: \(fixed(bare * 1e6, 1, width: 6)) us of bare"
        + " calls from P2 to P5a (as in `purchase`), on all \(Int(cores)) cores and nothing else")
    print("  processor ms a purchase, until all is settled, and what the cores could do at that")
    for result in results { processor(result, cores: cores) }
  }

  private static func processor(_ result: LoadResult, cores: Double) {
    let count = Double(result.timed.count)
    let sum = result.processor.reduce(0) { $0 + $1.seconds }
    let parts = result.processor.map { "\($0.role) \(fixed($0.seconds / count * 1000, 2, width: 5))" }
    let busy = sum / (cores * (result.seconds + result.settling))
    let flushes = result.flushes.map { fixed(Double($0) / count, 1, width: 4) } ?? "?"
    print(
      "  \(fixed(Double(result.concurrency), 0))  \(parts.joined(separator: ", ")), all"
        + " \(fixed(sum / count * 1000, 2, width: 5)): \(fixed(cores * count / sum, 0, width: 4))/s;"
        + " cores busy \(fixed(busy * 100, 0, width: 3)) %, disk flushes \(flushes)")
  }

  /// Bare durable appends, sorted.
  static func disk(_ times: [Double]) {
    func at(_ share: Double) -> String { fixed(percentile(times, share) * 1000, 2, width: 5) }
    print(
      "\ndisk floor: a durable append of 4 KiB takes p50 \(at(0.5)), p90 \(at(0.9)), p99 \(at(0.99)), max"
        + " \(at(1)) ms (\(times.count) of them, in the same folder, before and after)")
  }
}
