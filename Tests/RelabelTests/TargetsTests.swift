import Relabel
import RelabelWriting
import TestSupport
import Testing

@Suite("From storage to targets")
struct TargetsTests {
  private let boxes = [
    CropBox(top: 0.1, left: 0.2, height: 0.5, width: 0.4),
    CropBox(top: 0, left: 0, height: 1, width: 0.25),
  ]

  private let folder = TemporaryFolder()

  /// A shard of some images in chunks of 4.
  private func shard(_ count: Int) throws -> ShardReader {
    var header = try Sample.header(.float32)
    header.orientation = .xy
    header.mapExtent = CropBox(top: 0, left: 0, height: 1, width: 0.75)
    let path = folder.file("shard.h5")
    var writer = try ShardWriter(path, header: header)
    let codec = MapCodec(header)
    let images = Sample.images(count, header.shape)
    try writer.append(images.map { try codec.encode($0) }, jobs: 1)
    _ = try writer.finish()
    return try ShardReader(path)
  }

  @Test("Targets are those of single maps, in the order asked for", arguments: [1, 2, 5])
  func targets(_ threads: Int) throws {
    let reader = try shard(11)
    let pooling = try LabelPooling(reader.header)
    let positions = [10, 0, 3, 10, 5, 1, 9]
    let targets = try reader.targets(
      at: positions,
      in: positions.map { _ in boxes },
      pooling,
      threads: threads
    )
    let expected = try positions.map { position in
      try boxes.map { try pooling.target(of: reader.map(at: position), in: $0) }
    }
    #expect(targets == expected)
    #expect(Set(targets).count == 6)
  }

  @Test("Maps know their extent")
  func extent() throws {
    let reader = try shard(2)
    #expect(try reader.map(at: 1).extent == reader.header.mapExtent)
    let outside = CropBox(top: 0, left: 0.5, height: 1, width: 0.5)
    let error = #expect(throws: RelabelError.self) {
      try reader.targets(at: [1], in: [[outside]], LabelPooling(reader.header))
    }
    #expect(error?.location.key == "n1/image1")
    let clamped = try LabelPooling(reader.header, outside: .clamp)
    #expect(try reader.targets(at: [1], in: [[outside]], clamped)[0][0].covered == 0.5)
  }

  @Test("A position that is not there is named", arguments: [-1, 11])
  func outside(_ position: Int) throws {
    let reader = try shard(11)
    let error = #expect(throws: RelabelError.self) {
      try reader.targets(at: [0, position], in: [boxes, boxes], LabelPooling(reader.header))
    }
    #expect(error?.code == .notFound && error?.message.contains("\(position)") == true)
  }

  @Test("Chunks cover all rows")
  func chunks() throws {
    let reader = try shard(11)
    #expect(reader.chunks == [0..<4, 4..<8, 8..<11])
    for row in 0..<11 { #expect(reader.chunks.contains(reader.chunk(holding: row))) }
  }
}
