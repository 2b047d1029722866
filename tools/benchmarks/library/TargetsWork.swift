internal import Relabel

/// A lookup by key and an epoch of targets in chunk order, in batches of 256: `targets DATASET THREADS`.
enum TargetsWork {
  static func prepare(_ arguments: ArraySlice<String>) throws -> () throws -> Void {
    let path = arguments.first ?? ""
    let threads = arguments.dropFirst().first.flatMap { Int($0) } ?? 1
    return {
      let maps = try openLabelMaps(path)
      let middle = maps.count / 2
      let found = try maps.position(forKey: maps.key(at: middle))
      precondition(found == middle)
      let order = try EpochOrder(.chunk(maps.chunks), count: maps.count, seed: 0, epoch: 0)
      let pooling = try LabelPooling(maps.header, profile: .relabel)
      let box = CropBox(top: 0.1, left: 0.2, height: 0.6, width: 0.5)
      for first in stride(from: 0, to: order.count, by: 256) {
        let batch = order.positions(first..<min(first + 256, order.count))
        _ = try maps.targets(at: batch, in: batch.map { _ in [box] }, pooling, threads: threads)
      }
    }
  }
}

/// An epoch of dense targets in chunk order, in batches of 256 and in memory used again: `pooled DATASET THREADS`.
enum PooledWork {
  static func prepare(_ arguments: ArraySlice<String>) throws -> () throws -> Void {
    let threads = arguments.dropFirst().first.flatMap { Int32($0) } ?? 1
    let maps = try openLabelMaps(arguments.first ?? "")
    let order = try EpochOrder(.chunk(maps.chunks), count: maps.count, seed: 0, epoch: 0)
    let pooling = try LabelPooling(maps.header, profile: .relabel)
    let boxes = (0..<256).flatMap { _ in [0.1, 0.2, 0.6, 0.5] }
    var targets = [Float](repeating: 0, count: 256 * pooling.numClasses)
    return {
      for first in stride(from: 0, to: order.count, by: 256) {
        let batch = order.positions(first..<min(first + 256, order.count))
        try boxes.withUnsafeBufferPointer { boxes in
          try targets.withUnsafeMutableBufferPointer { targets in
            let crops = try Crops(
              boxes.baseAddress,
              Int64(batch.count),
              1,
              threads,
              targets.baseAddress,
              nil
            )
            if let crops { try maps.writeTargets(at: batch, pooling, crops) }
          }
        }
      }
    }
  }
}
