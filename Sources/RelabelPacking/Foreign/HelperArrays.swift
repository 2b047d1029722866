package import AnnotatorOutputs
import HelperProcesses
package import Relabel

/// Arrays in HDF5 files of other programs, each read by helper processes of its own.
package struct HelperArrays: ForeignArrays {
  /// The program to start, which begins with `HelperEntry.runIfAsked`.
  private let program: String

  package init(program: String) { self.program = program }

  package func list(
    _ path: String,
    receive: (ForeignArray) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    let helper = try start(ForeignHelper.listing, ["path": .string(path)], path, data: 0)
    while let message = try helper.next() {
      let fact: JSON
      do throws(RelabelError) {
        fact = try message.json()
      } catch {
        try helper.refuse(error)
        break
      }
      if let failure = RelabelError(fact["failure"]) { throw failure }
      for array in fact["arrays"]?.array ?? [] {
        guard let array = ForeignArray(array) else {
          try helper.refuse(RelabelError(.corrupt, "this is no array"))
          break
        }
        try receive(array)
      }
    }
    try Self.check(helper)
  }

  package func read(_ request: ForeignRequest) throws(RelabelError) -> any ForeignBytes {
    HelperBytes(self, request)
  }

  /// Starts a helper with room for what the file takes, and its data, which have so many bytes when they are unpacked.
  fileprivate func start(
    _ task: String,
    _ request: [String: JSON],
    _ path: String,
    data: Int
  ) throws(RelabelError) -> RunningHelper {
    let bytes = try Folder.fileBytes(path)
    var limits = HelperLimits(fileBytes: bytes, jobs: 1)
    // A chunk is there three times while it is unpacked.
    limits.memory += 64 << 20
    // A file can lead the library round in circles; to begin takes a hundredth of this.
    limits.processorSeconds += 5 + data / 10_000_000
    return try HelperProcess(program: program, limits: limits).start(task, .object(request))
  }

  /// Refuses a file that its helper died of.
  fileprivate static func check(_ helper: RunningHelper) throws(RelabelError) {
    guard let death = helper.death else { return }
    throw RelabelError(
      .unsafeInput,
      "the HDF5 library failed on this file: the helper process \(death)"
    )
  }
}

/// What the helpers send of arrays, one helper after the other: a command line holds so many names.
private final class HelperBytes: ForeignBytes {
  private let arrays: HelperArrays
  private let request: ForeignRequest
  private var helper: RunningHelper?
  /// How many arrays helpers were asked for.
  private var asked = 0

  /// Bytes of names that one helper is asked for, and the most of them; the system's limit is 128 KiB a word.
  private static let (nameBytes, names) = (32 << 10, 4096)

  init(_ arrays: HelperArrays, _ request: ForeignRequest) {
    (self.arrays, self.request) = (arrays, request)
  }

  func next() throws(RelabelError) -> [UInt8]? {
    while true {
      if let helper {
        if let message = try helper.next() {
          if message.kind == .bytes { return message.bytes }
          if let failure = RelabelError(try message.json()["failure"]) { throw failure }
          continue
        }
        try HelperArrays.check(helper)
        self.helper = nil
      }
      if asked == request.names.count { return nil }
      helper = try ask()
    }
  }

  private func ask() throws(RelabelError) -> RunningHelper {
    var (names, bytes) = ([JSON](), 0)
    while asked < request.names.count, names.count < Self.names, bytes < Self.nameBytes {
      let name = request.names[asked]
      names.append(.string(name))
      // As JSON writes it at worst, every byte escaped.
      bytes += 6 * name.utf8.count + 3
      asked += 1
    }
    var words: [String: JSON] = [
      "path": .string(request.path), "names": .array(names), "array": request.array.json,
    ]
    if let rows = request.rows { words["rows"] = .integer(Int64(rows)) }
    return try arrays.start(
      ForeignHelper.reading,
      words,
      request.path,
      data: request.array.dataBytes * names.count
    )
  }
}
