internal import Glibc
internal import HDF5
internal import Relabel

/// The kernels whose instructions tools/check-instructions counts: `count KERNEL DATASET`, and `count KERNEL FILE.npy`
/// of those of dense maps.
///
/// Prints how many maps one call of the exported `relabel_counted` goes through, makes one to warm
/// up (its symbol isn't toggled), and one to be counted.
enum KernelWork {
  /// Maps whose kernels run in one call.
  private struct Kernel {
    let maps: Int
    let body: () throws -> Void
  }

  static func count(_ arguments: ArraySlice<String>) throws {
    guard arguments.count == 2, let name = arguments.first, let path = arguments.last else {
      fatalError("usage: relabel-benchmark count KERNEL DATASET")
    }
    let kernel =
      switch name {
      case "topk": try topK(path)
      case "factors": try factors(path)
      case "pooling-factors": try poolingOfFactors(path)
      default: try kernel(name, LabelledShard(path))
      }
    print(kernel.maps)
    try kernel.body()
    counted = kernel.body
    // By way of the C library, since a direct call would not go through the exported symbol.
    var once = pthread_once_t()
    pthread_once(&once, relabelCounted)
  }

  private static func topK(_ path: String) throws -> Kernel {
    let maps = try DenseMaps(path, bytes: 8 << 20)
    return Kernel(maps: maps.count) {
      maps.forEach {
        precondition(TopK.reduce($0, classes: maps.classes, shape: maps.shape) != nil)
      }
    }
  }

  private static func factors(_ path: String) throws -> Kernel {
    let (maps, encoder) = try dense(path)
    return Kernel(maps: maps.count) {
      for map in maps { precondition(encoder.encode(map).factors != nil) }
    }
  }

  /// Targets of maps in memory that somebody else keeps, as loaders have them.
  private static func poolingOfFactors(_ path: String) throws -> Kernel {
    let (maps, encoder) = try dense(path)
    let encoded = maps.map(encoder.encode)
    let shape = encoded[0].shape
    let pooling = try LabelPooling(
      PoolingKernel(numClasses: maps[0].classes, kind: .logit, fill: .zero, temperature: 1),
      shape,
      .yx,
      .relabel,
      .error
    ).ofFactors()
    let score = encoded.flatMap(\.score)
    let numbers = encoded.flatMap { $0.factors?.numbers ?? [] }
    let scales = encoded.flatMap { $0.factors?.scale ?? [] }
    var random = SplitMix64(state: 0)
    let boxes = encoded.flatMap { _ in CropBox.random(&random).components }
    var targets = [Float](repeating: 0, count: encoded.count * pooling.numClasses)
    return Kernel(maps: encoded.count) {
      try score.withUnsafeBufferPointer { score in
        try numbers.withUnsafeBufferPointer { numbers in
          try scales.withUnsafeBufferPointer { scales in
            guard let score = score.baseAddress, let numbers = numbers.baseAddress,
              let scales = scales.baseAddress
            else { return }
            let maps = MapArrays(
              shape: shape,
              score: score,
              classFactor: numbers,
              factorScale: scales,
              extents: nil
            )
            let crops = try Crops(boxes, Int64(encoded.count), 1, 1, &targets, nil)
            if let crops { try pooling.writeTargets(of: maps, crops) }
          }
        }
      }
    }
  }

  private static func dense(_ path: String) throws -> ([DenseMap], FactorEncoder) {
    let file = try DenseMaps(path, bytes: 16 << 20)
    var maps: [DenseMap] = []
    file.forEach { bytes in
      maps.append(
        DenseMap(
          classes: file.classes,
          shape: file.shape,
          score: Array(bytes.bindMemory(to: Float.self))
        )
      )
    }
    let encoder = try FactorEncoder(
      height: file.shape.height,
      width: file.shape.width,
      numClasses: file.classes
    )
    return (maps, encoder)
  }

  private static func kernel(_ name: String, _ shard: LabelledShard) throws -> Kernel {
    let (images, codec) = (shard.images, MapCodec(shard.header))
    let body: () throws -> Void
    switch name {
    case "encode": body = { for image in images { _ = try codec.encode(image) } }
    case "decode":
      let stored = try images.map { try codec.encode($0) }
      body = {
        for image in stored {
          precondition(
            codec.classIndex(image.classIndex[...]).count == codec.score(image.score[...]).count
          )
        }
      }
    case "cells": body = try cells(images, shard.header)
    case "pooling":
      let pooling = try LabelPooling(shard.header, profile: .relabel)
      var random = SplitMix64(state: 0)
      let boxes = images.map { _ in CropBox.random(&random) }
      body = {
        for (image, box) in zip(images, boxes) { _ = try pooling.target(of: image.map, in: box) }
      }
    case "shuffle":
      body = {
        for bytes in shard.scores { precondition(!Shuffle.shuffled(bytes, elementSize: 2).isEmpty) }
      }
    case "unshuffle":
      body = {
        for bytes in shard.scores {
          precondition(!Shuffle.unshuffled(bytes, elementSize: 2).isEmpty)
        }
      }
    case "fletcher32":
      body = { for bytes in shard.scores { precondition(Fletcher32.checksum(bytes.span) != 0) } }
    default: fatalError("there is no kernel \(name)")
    }
    return Kernel(maps: images.count, body: body)
  }

  /// The test of stored maps, asked from another module as the verifier does: the compiler has to
  /// specialise it there.
  private static func cells(
    _ images: [LabelledImage],
    _ header: ShardHeader
  ) throws -> () throws -> Void {
    let codec = MapCodec(header)
    let stored = try images.map { try codec.encode($0) }
    let rules = header.cellRules(order: header.cellOrder)
    let kernel = CellKernel<Int16>(MapForm(header), rules)
    var ids = [Int16](repeating: 0, count: header.shape.entries)
    var (scores, decoded) = (ids, [Float](repeating: 0, count: ids.count))
    return {
      for image in stored {
        let isInRange = kernel.read(image.classIndex, image.score, into: &ids, &scores)
        precondition(isInRange && kernel.isSound(ids, scores, kernel.range(scores)))
        precondition(kernel.scores.mean(scores, scores.count, &decoded).isFinite)
      }
    }
  }
}

/// What the counted call runs; set before it, on the only thread.
nonisolated(unsafe) private var counted: () throws -> Void = {}

/// Callgrind's toggle.
@_cdecl("relabel_counted")
func relabelCounted() {
  do { try counted() } catch { fatalError("\(error)") }
}

/// All maps of a dataset of one shard, and the bytes of its scores chunk by chunk.
private struct LabelledShard {
  let header: ShardHeader
  let images: [LabelledImage]
  let scores: [[UInt8]]

  init(_ path: String) throws {
    let maps = try openLabelMaps(path)
    header = try maps.header
    images = try (0..<maps.count).map {
      try LabelledImage(key: maps.key(at: $0), imageIndex: Int64($0), map: maps.map(at: $0))
    }
    let codec = MapCodec(header)
    scores = try images.map { try codec.encode($0).score }
  }
}

extension CropBox {
  /// A box of at least a tenth of each side.
  fileprivate static func random(_ generator: inout SplitMix64) -> CropBox {
    func share() -> Double { Double(generator.next() >> 11) / Double(1 << 53) }
    let (height, width) = (0.1 + 0.9 * share(), 0.1 + 0.9 * share())
    return CropBox(
      top: share() * (1 - height),
      left: share() * (1 - width),
      height: height,
      width: width
    )
  }
}
