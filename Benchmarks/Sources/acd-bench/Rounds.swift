// Timing: contestants take turns in every round of one run, so that a machine that slows down slows all of
// them; what counts is the median.

import Foundation

/// The clock of a measurement, in seconds from anywhere.
typealias Clock = () -> Double

/// What passes on the wall: for what uses several cores or processes.
func wallClock() -> Double { seconds(of: CLOCK_MONOTONIC) }

/// What this process and the programs that it ran used of all processors.
func processorClock() -> Double {
  func used(_ who: Int32) -> Double {
    var usage = rusage()
    getrusage(who, &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
  }
  // RUSAGE_SELF and RUSAGE_CHILDREN, whose types differ between systems.
  return used(0) + used(-1)
}

/// What this thread used of a processor: for what runs on one thread, whatever else the machine does
/// meanwhile.
func threadClock() -> Double { seconds(of: CLOCK_THREAD_CPUTIME_ID) }

private func seconds(of clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The medians of the durations of each contestant, in seconds, in their order, by each clock.
func alternate(
  rounds: Int, by clocks: [Clock], _ contestants: [() throws -> Void]
) throws -> [[Double]] {
  try series(rounds: rounds, by: clocks, contestants).map { $0.map(median) }
}

/// The durations of each contestant in every round, in seconds, in their order, by each clock. The
/// contestants of a round follow each other, and every other round runs backwards. The first round only warms
/// up.
func series(
  rounds: Int, by clocks: [Clock], _ contestants: [() throws -> Void]
) throws -> [[[Double]]] {
  var times = [[[Double]]](
    repeating: [[Double]](repeating: [], count: contestants.count), count: clocks.count)
  for round in 0...rounds {
    let order = round.isMultiple(of: 2) ? Array(contestants.indices) : contestants.indices.reversed()
    for index in order {
      let start = clocks.map { $0() }
      try contestants[index]()
      let end = clocks.map { $0() }
      if round == 0 { continue }
      for clock in clocks.indices { times[clock][index].append(end[clock] - start[clock]) }
    }
  }
  return times
}

/// The middle one; the mean of the middle two when their number is even.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}

/// `value` with `digits` after the point, right-aligned.
func fixed(_ value: Double, _ digits: Int = 2, width: Int = 9) -> String {
  String(format: "%\(width).\(digits)f", value)
}

/// Ends the run: a benchmark that computes something wrong measures nothing.
func expect(_ condition: Bool, _ what: String) {
  guard condition else { fatalError("benchmark: \(what)") }
}
