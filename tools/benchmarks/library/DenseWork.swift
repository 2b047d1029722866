internal import Relabel

/// What the reduction of dense maps costs, and what it can't cost less than: `topk FILE.npy` and
/// `scan FILE.npy`, both over many copies of one float32 map [C, H, W].
enum DenseWork {
  /// More than any cache holds.
  private static let bytes = 256 << 20
  static func prepareTopK(_ arguments: ArraySlice<String>) throws -> () throws -> Void {
    let maps = try DenseMaps(arguments.first ?? "", bytes: bytes)
    return {
      maps.forEach {
        precondition(TopK.reduce($0, classes: maps.classes, shape: maps.shape) != nil)
      }
    }
  }

  static func prepareScan(_ arguments: ArraySlice<String>) throws -> () throws -> Void {
    let maps = try DenseMaps(arguments.first ?? "", bytes: bytes)
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
