import Glibc
import HDF5
import Relabel
import RelabelWriting
import TestSupport
import Testing

@Suite("Shards")
struct ShardTests {
  private let folder = TemporaryFolder()
  private let shape = MapShape(height: 3, width: 4, topK: 2)

  private func write(
    _ images: [LabelledImage],
    _ header: ShardHeader,
    to name: String,
    jobs: Int = 1,
    batch: Int = 3
  ) throws -> String {
    let path = folder.file(name)
    var writer = try ShardWriter(path, header: header)
    let codec = MapCodec(header)
    for start in stride(from: 0, to: images.count, by: batch) {
      let rows = try images[start..<min(start + batch, images.count)].map { try codec.encode($0) }
      try writer.append(rows, jobs: jobs)
    }
    let summary = try writer.finish(jobs: jobs)
    #expect(summary.rows == images.count)
    return path
  }

  @Test(
    "Every label comes back by row, by key and by image index",
    arguments: [1, 2, 4, 5, 11, 30],
    [Compression.deflate(level: 6), .deflate(level: 12), .none]
  )
  func roundTrip(_ count: Int, _ compression: Compression) throws {
    var header = try Sample.header(.float32, shape: shape, order: .class)
    header.compression = compression
    let images = Sample.images(count, shape)
    let reader = try ShardReader(write(images, header, to: "a.h5"))
    #expect(reader.count == count)
    #expect(try reader.keys() == images.map(\.key))
    #expect(try reader.imageIndexes() == images.map(\.imageIndex))
    for (row, image) in images.enumerated() {
      let map = try reader.map(at: row)
      #expect(sorted(map) == sorted(image.map))
      #expect(try reader.row(forKey: image.key) == row)
      #expect(try reader.row(forImageIndex: image.imageIndex) == row)
    }
    let backwards = try reader.maps(at: Array((0..<count).reversed()))
    #expect(backwards.map(sorted) == images.reversed().map { sorted($0.map) })
    let mapped = try ShardReader(reader.path, isMapped: true)
    #expect(try mapped.maps(at: Array(0..<count)) == reader.maps(at: Array(0..<count)))
    #expect(try reader.row(forKey: "none") == nil)
    #expect(throws: RelabelError.self) { try reader.map(at: count) }
    #expect(throws: RelabelError.self) { try reader.map(at: -1) }
  }

  /// The entries of each cell by class id, as the `class` order stores them.
  private func sorted(_ map: LabelMap) -> [[UInt32: Float]] {
    stride(from: 0, to: shape.entries, by: shape.topK).map { start in
      let range = start..<start + shape.topK
      return Dictionary(uniqueKeysWithValues: zip(map.classIndex[range], map.score[range]))
    }
  }

  @Test("The header survives the file")
  func header() throws {
    var header = try Sample.header(.fixed8, shape: shape, order: .class)
    header.temperature = 2.5
    header.rowOrder = .shuffled(seed: 7)
    header.orientation = .xy
    header.mapExtent = CropBox(top: 0.125, left: 0, height: 0.5, width: 1)
    header.imagesPerChunk = 3
    let reader = try ShardReader(write(Sample.images(4, shape), header, to: "h.h5"))
    // The largest error is a limit of writing, not a property of the file.
    #expect(reader.header == header)
  }

  @Test("A metadata document longer than an attribute is cut and joined")
  func longMetadata() throws {
    var header = try Sample.header()
    let entries = (0..<10).map {
      ClassTable.Entry(id: "n\($0)", name: String(repeating: "grünes Ding \($0) ", count: 900))
    }
    header.metadata = try MetadataDocument(
      annotator: .object(["name": .string("net"), "source": .string("here")]),
      classes: ClassTable(entries: entries)
    )
    let path = try write(Sample.images(2, shape), header, to: "m.h5")
    #expect(try File.open(path).attributeNames().filter { $0.hasPrefix("metadata_0") }.count == 3)
    let reader = try ShardReader(path)
    #expect(reader.header.metadata == header.metadata)
    #expect(reader.header.metadata.classes?.name(of: 3) == entries[3].name)
    #expect(reader.header.metadata.annotatorName == "net")
    #expect(reader.header.metadata.json["source"] == .string("here"))
  }

  @Test("Bytes depend on neither jobs nor batches")
  func reproducible() throws {
    let header = try Sample.header()
    let images = Sample.images(50, shape)
    let digests = try [(1, 50), (2, 7), (5, 1)].map { jobs, batch in
      let path = try write(images, header, to: "r\(jobs).h5", jobs: jobs, batch: batch)
      return try Digest.of(file: path).hex
    }
    #expect(Set(digests).count == 1)
  }

  @Test("A writer that is dropped, or whose check fails, leaves nothing")
  func unfinished() throws {
    let header = try Sample.header()
    do {
      var writer = try ShardWriter(folder.file("gone.h5"), header: header)
      try writer.append([], jobs: 1)
      #expect(try Folder.names(folder.path).contains(".gone.h5.partial"))
      _ = consume writer
    }
    #expect(try Folder.names(folder.path).isEmpty)
    let writer = try ShardWriter(folder.file("bad.h5"), header: header)
    // A non-copyable value can't be consumed within the macro's closure.
    var failure: RelabelError?
    do {
      _ = try writer.finish { _ throws(RelabelError) in throw RelabelError(.internalFault, "no") }
    } catch {
      failure = error
    }
    #expect(failure?.message == "no")
    #expect(try Folder.names(folder.path).isEmpty)
  }

  @Test("A folder that is not there is an I/O error that names it")
  func noFolder() throws {
    let header = try Sample.header()
    let error = #expect(throws: RelabelError.self) {
      _ = try ShardWriter("/nonexistent/a.h5", header: header)
    }
    #expect(error?.code == .io)
    #expect(error?.location.file == "/nonexistent/a.h5")
  }

  @Test("A damaged chunk is refused by dataset and row, the others still read")
  func damagedChunk() throws {
    let header = try Sample.header(.float32, shape: shape)
    let path = try write(Sample.images(12, shape), header, to: "d.h5")
    let stored = try Folder.contents(path, limit: 1 << 20)
    // The stored form of the second chunk, found by its own bytes.
    let dataset = try File.open(path).openDataset("score")
    guard case .stored(let chunk, _) = try dataset.readChunk(at: [4, 0, 0, 0], limit: 1 << 16)
    else {
      Issue.record("the second chunk is missing")
      return
    }
    let place = try #require(stored.firstRange(of: chunk)).lowerBound
    var damaged = stored
    damaged[place + 10] ^= 1
    let copy = folder.file("damaged.h5")
    try PublishedFile.write(damaged, to: copy)
    let reader = try ShardReader(copy)
    #expect(throws: Never.self) { try reader.map(at: 3) }
    #expect(throws: Never.self) { try reader.map(at: 8) }
    let error = #expect(throws: RelabelError.self) { try reader.map(at: 5) }
    #expect(error?.code == .corrupt)
    #expect(error?.location.dataset == "score")
    #expect(error?.location.row == 4)
  }
}
