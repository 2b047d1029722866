// Decodes every chunk of some shards and does nothing with them: Decode JOBS SHARD…
//
// Prints the seconds and the processor seconds of one pass for each line of input.

internal import Glibc
internal import HDF5
internal import Relabel

let jobs = Int(CommandLine.arguments[1]) ?? 1
let shards = try CommandLine.arguments.dropFirst(2).map(open)
say("ready")
while readLine() != nil {
  let processor = clock()
  let seconds = ContinuousClock().measure(decodeAll) / .seconds(1)
  say("\(seconds) \(Double(clock() - processor) / Double(CLOCKS_PER_SEC))")
}

/// Opens a shard as a reader does.
func open(_ path: String) throws -> ShardFile {
  guard let file = try ShardFile.open(path, report: { fatalError("\(path): \($0.message)") }) else {
    fatalError("\(path) can't be read")
  }
  return file
}

/// Reads, checks, inflates and unshuffles all chunks, as readers do.
func decodeAll() {
  for shard in shards {
    for (name, column) in shard.columns {
      let sizes = Parallel.map(column.chunks, jobs: jobs) { chunk in
        (try? column.chunk(chunk).get().count) ?? 0
      }
      guard !sizes.contains(0) else { fatalError("\(name) is damaged") }
    }
  }
}

func say(_ line: String) {
  print(line)
  fflush(nil)
}
