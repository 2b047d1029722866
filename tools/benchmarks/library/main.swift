// What the benchmarks time in the library and no command shows: relabel-benchmark WORK ARGUMENT…
//
// A work prepares itself, says "ready", and does its work once for each line of input; it answers with
// the seconds and the processor seconds that it took. `count` is for callgrind instead (KernelWork).

internal import Glibc

let works: [String: (ArraySlice<String>) throws -> () throws -> Void] = [
  "decode": DecodeWork.prepare,
  "read": ReadWork.prepare,
  "read-mapped": ReadWork.prepareMapped,
  "targets": TargetsWork.prepare,
  "pooled": PooledWork.prepare,
  "topk": DenseWork.prepareTopK,
  "scan": DenseWork.prepareScan,
]

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "count" {
  try KernelWork.count(arguments.dropFirst())
  exit(0)
}
guard let name = arguments.first, let prepare = works[name] else {
  print("usage: relabel-benchmark \(works.keys.sorted().joined(separator: "|"))|count ARGUMENT…")
  exit(64)
}
let work = try prepare(arguments.dropFirst())
say("ready")
while readLine() != nil {
  let processor = clock()
  let seconds = try ContinuousClock().measure(work) / .seconds(1)
  say("\(seconds) \(Double(clock() - processor) / Double(CLOCKS_PER_SEC))")
}

func say(_ line: String) {
  print(line)
  fflush(nil)
}
