internal import Relabel

/// What the reduction of dense maps costs, and what it can't cost less than: `topk FILE.npy` and
/// `scan FILE.npy`, both over many copies of one float32 map [C, H, W].
enum DenseWork {
  /// More than any cache holds.
  private static let bytes = 256 << 20
  private static let topK = 5

  /// Copies of the scores, one behind the other, classes rotated.
  private struct Maps {
    let classes: Int
    let shape: MapShape
    let scores: [Float]
    let count: Int

    init(_ path: String) throws {
      let file = try Folder.contents(path, limit: 64 << 20)
      // The first line of text in the file: {'descr': '<f4', …, 'shape': (1000, 15, 15), }
      let header = String(decoding: file[10..<128], as: UTF8.self)
      let numbers = header.split { !$0.isNumber }.compactMap { Int($0) }
      guard header.contains("'<f4'"), numbers.count == 4, !header.contains("True") else {
        fatalError("\(path) is no float32 array [C, H, W]")
      }
      (classes, shape) = (
        numbers[1], MapShape(height: numbers[2], width: numbers[3], topK: DenseWork.topK)
      )
      let map = file.dropFirst(128).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
      count = max(1, DenseWork.bytes / (4 * map.count))
      // Each begins with another class, so that no branch can be foreseen from the copy before.
      let cells = shape.cells
      scores = (0..<count).flatMap { copy in
        let first = copy * 7 % (map.count / cells) * cells
        return map[first...] + map[..<first]
      }
    }

    /// Gives `body` the bytes of one copy after the other.
    func forEach(_ body: (UnsafeRawBufferPointer) -> Void) {
      let size = 4 * classes * shape.cells
      scores.withUnsafeBytes { bytes in
        for number in 0..<count {
          body(UnsafeRawBufferPointer(rebasing: bytes[number * size..<(number + 1) * size]))
        }
      }
    }
  }

  static func prepareTopK(_ arguments: ArraySlice<String>) throws -> () throws -> Void {
    let maps = try Maps(arguments.first ?? "")
    return {
      maps.forEach {
        precondition(TopK.reduce($0, classes: maps.classes, shape: maps.shape) != nil)
      }
    }
  }

  static func prepareScan(_ arguments: ArraySlice<String>) throws -> () throws -> Void {
    let maps = try Maps(arguments.first ?? "")
    return { maps.forEach { precondition(sum($0).isFinite) } }
  }

  /// The least that looking at every score can cost: one addition each, in four vectors.
  private static func sum(_ scores: UnsafeRawBufferPointer) -> Float {
    var sums = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero)
    for offset in stride(from: 0, to: scores.count / 128 * 128, by: 128) {
      sums.0 += scores.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
      sums.1 += scores.loadUnaligned(fromByteOffset: offset + 32, as: SIMD8<Float>.self)
      sums.2 += scores.loadUnaligned(fromByteOffset: offset + 64, as: SIMD8<Float>.self)
      sums.3 += scores.loadUnaligned(fromByteOffset: offset + 96, as: SIMD8<Float>.self)
    }
    return (sums.0 + sums.1 + sums.2 + sums.3).sum()
  }
}
