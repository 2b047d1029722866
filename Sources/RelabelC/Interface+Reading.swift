import Relabel

// Reading from storage: the functions of relabel.h, which documents them.

/// See relabel.h.
@c(relabel_read)
public func relabelRead(
  _ maps: UnsafeMutableRawPointer?,
  _ positions: UnsafePointer<Int64>?,
  _ count: Int64,
  _ threads: Int32,
  _ classIndex: UnsafeMutableRawPointer?,
  _ idBytes: Int32,
  _ score: UnsafeMutablePointer<Float>?,
  _ extents: UnsafeMutablePointer<Double>?
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let source = try opened(maps)
    guard threads >= 1 else {
      throw RelabelError(.usage, "nothing can be read on \(threads) threads")
    }
    let wanted = try wanted(positions, count)
    if wanted.isEmpty { return }
    guard let classIndex else { throw missing("class_index") }
    guard let score else { throw missing("score") }
    let room = try MapRoom(source.header, classIndex, idBytes: Int(idBytes), score, extents)
    try source.writeMaps(at: wanted.map { Int($0) }, threads: Int(threads), room)
  }
}

/// See relabel.h.
@c(relabel_read_factors)
public func relabelReadFactors(
  _ maps: UnsafeMutableRawPointer?,
  _ positions: UnsafePointer<Int64>?,
  _ count: Int64,
  _ threads: Int32,
  _ classFactor: UnsafeMutablePointer<UInt8>?,
  _ factorScale: UnsafeMutablePointer<Float>?
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let source = try opened(maps)
    guard threads >= 1 else {
      throw RelabelError(.usage, "nothing can be read on \(threads) threads")
    }
    guard try source.header.hasFactors else {
      throw RelabelError(.usage, "these maps have classes in their cells, and no factors")
    }
    let wanted = try wanted(positions, count)
    if wanted.isEmpty { return }
    guard let classFactor else { throw missing("class_factor") }
    guard let factorScale else { throw missing("factor_scale") }
    let room = FactorMemory(classFactor, factorScale)
    try source.writeFactors(at: wanted.map { Int($0) }, threads: Int(threads), room)
  }
}

/// See relabel.h.
@c(relabel_keys)
public func relabelKeys(
  _ maps: UnsafeMutableRawPointer?,
  _ positions: UnsafePointer<Int64>?,
  _ count: Int64,
  _ keys: UnsafeMutablePointer<CChar>?,
  _ keyBytes: Int64
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let source = try opened(maps)
    let wanted = try wanted(positions, count)
    if wanted.isEmpty { return }
    guard let keys else { throw missing("keys") }
    guard (1...Int64(ImageKey.maximumBytes)).contains(keyBytes) else {
      throw RelabelError(.usage, "key_bytes is \(keyBytes), not 1 to \(ImageKey.maximumBytes)")
    }
    let room = Int(keyBytes)
    try source.forEachRow(at: wanted) { place, shard, row throws(RelabelError) in
      var key = try shard.key(at: row)
      let length = key.utf8.count
      guard length <= room else {
        throw RelabelError(
          .usage,
          "the key has \(length) bytes, key_bytes is \(room)",
          at: Location(file: shard.path, key: key, row: row)
        )
      }
      let target = UnsafeMutableRawBufferPointer(start: keys + place * room, count: room)
      key.withUTF8 { target.copyBytes(from: $0) }
      for rest in length..<room { target[rest] = 0 }
    }
  }
}

/// See relabel.h.
@c(relabel_image_indexes)
public func relabelImageIndexes(
  _ maps: UnsafeMutableRawPointer?,
  _ positions: UnsafePointer<Int64>?,
  _ count: Int64,
  _ indexes: UnsafeMutablePointer<Int64>?
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let source = try opened(maps)
    let wanted = try wanted(positions, count)
    if wanted.isEmpty { return }
    guard let indexes else { throw missing("indexes") }
    try source.forEachRow(at: wanted) { place, shard, row throws(RelabelError) in
      indexes[place] = try shard.imageIndex(at: row)
    }
  }
}
