import Relabel
internal import RelabelVerification

/// All images of a dataset by key and source label.
///
/// An image takes the bytes of its key and 9 more.
struct ImageRegister: Sendable {
  /// The class that the source gives to each position, below 0 for none; empty where it gives none.
  let labels: [Int32]
  /// Keys, each with a byte 0 behind it, which none of them has.
  private let bytes: [UInt8]
  /// Where each key begins.
  private let starts: [UInt32]

  /// Reads keys and labels of all shards.
  ///
  /// - Parameters:
  ///   - source: the maps.
  ///   - isStopped: asked between shards; true ends the reading with nil.
  /// - Throws: as `ShardReader`, and `.unsupported` for keys of more than 4 GiB.
  init?(_ source: any LabelMapSource, isStopped: () -> Bool) throws(RelabelError) {
    var (bytes, starts, labels) = ([UInt8](), [UInt32](), [Int32]())
    for shard in source.rowsOfShards.indices {
      if isStopped() { return nil }
      let reader = try source.reader(ofShard: shard)
      for key in try reader.keys() {
        guard let start = UInt32(exactly: bytes.count) else {
          throw RelabelError(
            .unsupported,
            "the keys take more than 4 GiB; browse one shard after the other",
            at: Location(file: source.path)
          )
        }
        starts.append(start)
        bytes.append(contentsOf: key.utf8)
        bytes.append(0)
      }
      labels += try MeasurePass.labels(of: reader)
    }
    (self.bytes, self.starts) = (bytes, starts)
    self.labels = labels.count == starts.count ? labels : []
  }

  /// How many images there are.
  var count: Int { starts.count }

  /// The key at a position.
  func key(at position: Int) -> String {
    let start = Int(starts[position])
    let end = position + 1 < starts.count ? Int(starts[position + 1]) : bytes.count
    return String(decoding: bytes[start..<end - 1], as: UTF8.self)
  }

  /// Marks the positions whose key holds a text, or begins with what follows a `^`; letters of ASCII match in any case.
  ///
  /// - Complexity: O(bytes of all keys).
  func find(_ text: String, _ isFound: inout [Bool]) {
    let isPrefix = text.hasPrefix("^")
    let wanted = (isPrefix ? text.dropFirst() : text[...]).utf8.map(Self.lowered)
    guard let first = wanted.first else { return }
    bytes.withUnsafeBufferPointer { bytes in
      starts.withUnsafeBufferPointer { starts in
        for position in starts.indices {
          var place = Int(starts[position])
          let next = position + 1 < starts.count ? Int(starts[position + 1]) : bytes.count
          let last = isPrefix ? place : next - 1 - wanted.count
          while place <= last {
            if Self.lowered(bytes[place]) == first, Self.isAt(place, wanted, bytes) {
              isFound[position] = true
              break
            }
            place += 1
          }
        }
      }
    }
  }

  private static func isAt(
    _ place: Int,
    _ wanted: [UInt8],
    _ bytes: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard place + wanted.count <= bytes.count else { return false }
    for (offset, byte) in wanted.enumerated() where lowered(bytes[place + offset]) != byte {
      return false
    }
    return true
  }

  @inline(__always)
  private static func lowered(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }

  /// The positions of a dataset in the order of its source: all that a first page needs.
  ///
  /// - Throws: as `ShardReader`.
  static func sourceOrder(of source: any LabelMapSource) throws(RelabelError) -> [Int32] {
    var indexes: [Int64] = []
    for shard in source.rowsOfShards.indices {
      indexes += try source.reader(ofShard: shard).imageIndexes()
    }
    return order(of: indexes)
  }

  /// Positions by ascending index.
  private static func order(of indexes: [Int64]) -> [Int32] {
    let count = indexes.count
    // Indexes of a whole listing are the numbers from 0, each once.
    var order = [Int32](repeating: -1, count: count)
    for (position, index) in indexes.enumerated() {
      guard (0..<Int64(count)).contains(index), order[Int(index)] < 0 else {
        return (0..<Int32(count)).sorted {
          (indexes[Int($0)], $0) < (indexes[Int($1)], $1)
        }
      }
      order[Int(index)] = Int32(position)
    }
    return order
  }
}
