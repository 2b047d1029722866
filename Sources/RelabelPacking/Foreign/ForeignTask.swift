import AnnotatorOutputs
internal import HDF5
package import HelperProcesses
import Relabel
internal import RelabelWriting

/// Work on an HDF5 file of another program, done in a helper process alone: the file may crash the HDF5 library.
package enum ForeignHelper {
  static let listing = "list-arrays"
  static let reading = "read-arrays"

  /// The tasks of this module's part that reads files of other programs.
  package static let tasks: [String: HelperEntry.Task] = [
    listing: HelperEntry.Task { request, writer throws(RelabelError) in
      try answer(request, writer) { path in try list(path, writer) }
    },
    reading: HelperEntry.Task { request, writer throws(RelabelError) in
      try answer(request, writer) { path in try read(request, path, writer) }
    },
  ]

  /// Does the work, and sends why it can't be done.
  private static func answer(
    _ request: JSON,
    _ writer: MessageWriter,
    _ work: (String) throws -> Void
  ) throws(RelabelError) {
    guard let path = request["path"]?.string else {
      throw RelabelError(.internalFault, "this is no request")
    }
    let failure: RelabelError
    do {
      try work(path)
      return
    } catch let error as RelabelError {
      failure = error
    } catch let error as HDF5Error {
      let code: RelabelError.Code = error.systemError == nil ? .invalidInput : .io
      failure = RelabelError(code, "the file can't be read: \(error)")
    } catch {
      failure = RelabelError(.internalFault, "\(error)")
    }
    try writer.send(HelperMessage(.object(["failure": failure.json])))
  }

  /// Arrays of one message.
  private static let arraysAtOnce = 256

  private static func list(_ path: String, _ writer: MessageWriter) throws {
    let file = try ForeignFile(path)
    if try file.says("format", "relabel") {
      throw RelabelError(
        .usage,
        "this is an HDF5 file of a packed dataset: a shard is packed already; relabel recover makes a dataset of shards"
          + " again"
      )
    }
    var waiting: [JSON] = []
    func send() throws(RelabelError) {
      try writer.send(HelperMessage(.object(["arrays": .array(waiting)])))
      waiting.removeAll()
    }
    // What the library reads in between may take a while, and every array is a sign of life.
    try file.walk { object in
      waiting.append(ForeignArray(object).json)
      if waiting.count == arraysAtOnce { try send() }
    }
    try send()
  }

  private static func read(_ request: JSON, _ path: String, _ writer: MessageWriter) throws {
    guard let names = request["names"]?.array?.compactMap(\.string),
      let wanted = request["array"].flatMap(ForeignArray.init)
    else { throw RelabelError(.internalFault, "this is no request") }
    let rows = request["rows"]?.integer.map { Int($0) }
    let file = try ForeignFile(path)
    for name in names {
      do {
        let dataset = try file.open(name)
        let object = try dataset.describe()
        guard ForeignArray(object).form == wanted.form else {
          throw RelabelError(.io, "the file has changed while it was read")
        }
        try read(dataset, object, rows, writer)
      } catch let error as RelabelError {
        throw error.located(Location(dataset: name))
      }
    }
  }

  private static func read(
    _ dataset: borrowing ForeignDataset,
    _ object: ForeignObject,
    _ rows: Int?,
    _ writer: MessageWriter
  ) throws {
    guard case .number(_, let isBigEndian) = object.element else {
      return try dataset.readTexts(object.shape.reduce(1, *), limit: ImageKey.maximumBytes) {
        try writer.send(HelperMessage(.bytes, ForeignTexts.encoded($0)))
      }
    }
    let pieces = RowPieces(
      shape: object.shape,
      rows: rows,
      itemBytes: object.itemBytes,
      chunk: object.chunk
    )
    guard pieces.effort <= RowPieces.maximumEffort else {
      throw RelabelError(
        .invalidInput,
        "its maps lie across the file, shape \(object.shape)"
          + (object.chunk.isEmpty ? "" : " in chunks \(object.chunk)")
          + ": each part of it would be read \(pieces.effort) times; write it anew, images first, or h5repack -l"
          + " CHUNK=1x… IN OUT"
      )
    }
    try dataset.read(pieces, isBigEndian: isBigEndian) {
      try writer.send(HelperMessage(.bytes, $0))
    }
  }
}

extension ForeignArray {
  fileprivate init(_ object: ForeignObject) {
    self.init(path: object.path, fault: object.fault, isUnsafe: object.isUnsafe)
    switch object.element {
    case .number(let word, let isBig): (type, isBigEndian) = (word, isBig)
    case .text: type = Self.text
    case nil: return
    }
    (shape, itemBytes) = (object.shape, object.itemBytes)
    storedBytes = object.storedBytes
  }
}
