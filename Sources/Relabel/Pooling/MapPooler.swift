/// Pools maps one after the other, in memory that is used again.
///
/// Not thread-safe.
package final class MapPooler {
  private let pooling: LabelPooling
  private let scratch: PoolingScratch

  /// Makes a pooler of maps of one shape.
  package init(_ pooling: LabelPooling, _ shape: MapShape) {
    self.pooling = pooling
    scratch = PoolingScratch(numClasses: pooling.numClasses, shape: shape)
  }

  /// The target of a crop of a map.
  ///
  /// - Throws: as `LabelPooling.target(of:in:)`.
  package func target(of map: LabelMap, in box: CropBox) throws(RelabelError) -> PooledTarget {
    try map.withEntries { entries throws(RelabelError) in
      try pooling.target(of: entries, map.extent, in: box, scratch)
    }
  }
}
