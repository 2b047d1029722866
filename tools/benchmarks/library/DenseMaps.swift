internal import Relabel

/// Copies of one float32 map [C, H, W] of a .npy file, one behind the other, classes rotated.
struct DenseMaps {
  let classes: Int
  let shape: MapShape
  let count: Int
  private let scores: [Float]

  /// Makes copies of about `bytes` bytes in all.
  init(_ path: String, bytes: Int) throws {
    let file = try Folder.contents(path, limit: 64 << 20)
    // The first line of text in the file: {'descr': '<f4', …, 'shape': (1000, 15, 15), }
    let header = String(decoding: file[10..<128], as: UTF8.self)
    let numbers = header.split { !$0.isNumber }.compactMap { Int($0) }
    guard header.contains("'<f4'"), numbers.count == 4, !header.contains("True") else {
      fatalError("\(path) is no float32 array [C, H, W]")
    }
    (classes, shape) = (numbers[1], MapShape(height: numbers[2], width: numbers[3], topK: 5))
    let map = file.dropFirst(128).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    count = max(1, bytes / (4 * map.count))
    // Each begins with another class, so that no branch can be foreseen from the copy before.
    let (cells, classes) = (shape.cells, classes)
    scores = (0..<count).flatMap { copy in
      let first = copy * 7 % classes * cells
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
