internal import HelperProcesses
internal import Relabel

extension Isolation {
  /// Hands the images of a shard on, batch by batch in row order, and says what the shard means.
  ///
  /// - Throws: `.io` when the system refuses the file or the helper, else what the shard's reader
  ///   refuses, or that the helper died.
  func images(
    of path: String,
    _ body: (ImageBatch) -> Void
  ) throws(RelabelError) -> ShardMeaning {
    var receiver = ImageListingReceiver()
    var rows = 0
    let request = JSON.object(["path": .string(path)])
    try run(ImageListing.task, ImageListing.run, request, path) { message throws(RelabelError) in
      guard let batch = try receiver.receive(message) else { return }
      rows += batch.keys.count
      body(batch)
    }
    guard let meaning = receiver.meaning, rows == meaning.rows else {
      throw RelabelError(.corrupt, "the helper process left images out")
    }
    return meaning
  }

  /// Hands the label maps of some rows on, in their order.
  ///
  /// - Throws: as `images(of:_:)`.
  func maps(
    of path: String,
    _ meaning: ShardMeaning,
    _ rows: [Int],
    _ body: (LabelMap) -> Void
  ) throws(RelabelError) {
    for start in stride(from: 0, to: rows.count, by: MapListing.rowsPerRequest) {
      let part = rows[start..<min(start + MapListing.rowsPerRequest, rows.count)]
      var receiver = MapListing.Receiver(meaning, maps: part.count)
      let request = MapListing.request(path, part)
      try run(MapListing.task, MapListing.run, request, path) { message throws(RelabelError) in
        if let map = try receiver.receive(message) { body(map) }
      }
      guard receiver.missing == 0 else {
        throw RelabelError(.corrupt, "the helper process left maps out")
      }
    }
  }
}

/// A task of the checks with pictures: it reads one shard and sends what it finds.
typealias PictureTask =
  @Sendable (JSON, (HelperMessage) throws(RelabelError) -> Void) throws(RelabelError) -> Void

extension Isolation {
  /// Runs a task where this says and hands its messages on.
  private func run(
    _ name: String,
    _ task: @escaping PictureTask,
    _ request: JSON,
    _ path: String,
    receive: (HelperMessage) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    guard let process = process(fileBytes: try Folder.fileBytes(path), jobs: 1) else {
      return try task(request, receive)
    }
    var refusal: String?
    let death = try process.run(name, request) { message throws(RelabelError) in
      if message.kind == .fact, let reason = try message.json()["refused"]?.string {
        refusal = reason
      } else {
        try receive(message)
      }
    }
    if let refusal { throw RelabelError(.corrupt, refusal) }
    if let death { throw RelabelError(.corrupt, "the helper process \(death)") }
  }
}

extension VerificationHelper {
  /// The tasks of the checks with pictures.
  static let pictureTasks: [String: HelperEntry.Task] = [
    ImageListing.task: task(ImageListing.run),
    MapListing.task: task(MapListing.run),
  ]

  private static func task(_ work: @escaping PictureTask) -> HelperEntry.Task {
    HelperEntry.Task { request, writer throws(RelabelError) in
      do throws(RelabelError) {
        try work(request) { message throws(RelabelError) in try writer.send(message) }
      } catch {
        try writer.send(HelperMessage(.object(["refused": .string(error.message)])))
      }
    }
  }
}
