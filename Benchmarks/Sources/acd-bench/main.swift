// The entry: which measurement to run.

import Foundation

let usage = """
  usage: acd-bench purchase [rounds]         a purchase in process, beside the bare cryptographic calls
         acd-bench profile [tokens] [count]  purchases only, for a profiler
         acd-bench goods [MiB] [rounds]      sealing and opening a file, beside age and minisign
         acd-bench load [--purchases N] [--concurrency C] [--dir PATH]
                                             purchases of many customers from real services, durable
  """

/// The number at `index` of the command line, or `fallback` when there is none.
func number(_ index: Int, _ fallback: Int) -> Int {
  let arguments = CommandLine.arguments
  guard arguments.count > index else { return fallback }
  guard let value = Int(arguments[index]), value > 0 else {
    print(usage)
    exit(2)
  }
  return value
}

switch CommandLine.arguments.dropFirst().first {
case "purchase": try PurchaseBenchmark.run(rounds: max(5, number(2, 21)))
case "profile": try PurchaseBenchmark.profile(tokens: number(2, 1), count: number(3, 2000))
case "goods": try GoodsBenchmark.run(mebibytes: number(2, 1024), rounds: max(3, number(3, 3)))
case "load":
  guard let options = LoadOptions(Array(CommandLine.arguments.dropFirst(2))) else {
    print(usage)
    exit(2)
  }
  try await LoadBenchmark.run(options)
default:
  print(usage)
  exit(2)
}
