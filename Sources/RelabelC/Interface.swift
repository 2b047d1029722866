import Relabel

// The functions of relabel.h, which documents them.

/// See relabel.h.
@c(relabel_version)
public func relabelVersion() -> UnsafePointer<CChar>? { versionText }

// Never changes.
nonisolated(unsafe) private let versionText: UnsafePointer<CChar>? =
  CText.copy("\(Software.version) (format \(FormatVersion.newest))")
  .map { UnsafePointer($0) }

/// See relabel.h.
@c(relabel_error)
public func relabelError() -> UnsafePointer<CChar>? { Failure.text }

/// See relabel.h.
@c(relabel_last_failure)
public func relabelLastFailure() -> UnsafeRawPointer? { Failure.last }

/// See relabel.h.
@c(relabel_open)
public func relabelOpen(_ path: UnsafePointer<CChar>?) -> UnsafeMutableRawPointer? {
  Failure.object { () throws(RelabelError) in
    guard let path else { throw missing("path") }
    return try OpenMaps(String(cString: path))
  }
}

/// See relabel.h.
@c(relabel_close)
public func relabelClose(_ maps: UnsafeMutableRawPointer?) {
  if let maps { Unmanaged<OpenMaps>.fromOpaque(maps).release() }
}

/// See relabel.h.
@c(relabel_count)
public func relabelCount(_ maps: UnsafeMutableRawPointer?) -> Int64 {
  Failure.number { () throws(RelabelError) in try opened(maps).count }
}

/// See relabel.h.
@c(relabel_num_classes)
public func relabelNumClasses(_ maps: UnsafeMutableRawPointer?) -> Int64 {
  Failure.number { () throws(RelabelError) in try openMaps(maps).numClasses() }
}

/// See relabel.h.
@c(relabel_find)
public func relabelFind(_ maps: UnsafeMutableRawPointer?, _ key: UnsafePointer<CChar>?) -> Int64 {
  Failure.number { () throws(RelabelError) in
    guard let key else { throw missing("key") }
    return try opened(maps).requiredPosition(forKey: String(cString: key))
  }
}

/// See relabel.h.
@c(relabel_find_index)
public func relabelFindIndex(_ maps: UnsafeMutableRawPointer?, _ index: Int64) -> Int64 {
  Failure.number { () throws(RelabelError) in
    let source = try opened(maps)
    if let position = try source.position(forImageIndex: index) { return position }
    throw RelabelError(
      .notFound,
      "there is no image \(index) of the source listing here",
      at: Location(file: source.path)
    )
  }
}

/// See relabel.h.
@c(relabel_listing)
public func relabelListing(_ maps: UnsafeMutableRawPointer?) -> UnsafePointer<CChar>? {
  Failure.text { () throws(RelabelError) in try openMaps(maps).listing() }
}

/// See relabel.h.
@c(relabel_describe)
public func relabelDescribe(
  _ maps: UnsafeMutableRawPointer?,
  _ position: Int64
) -> UnsafePointer<CChar>? {
  Failure.text { () throws(RelabelError) in
    try openMaps(maps).describe(by: position < 0 ? nil : Int(position))
  }
}

/// See relabel.h.
@c(relabel_close_shard)
public func relabelCloseShard(_ maps: UnsafeMutableRawPointer?, _ shard: Int64) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let source = try opened(maps)
    guard let dataset = source as? ShardedDataset else { return }
    guard let number = Int(exactly: shard), dataset.index.shards.indices.contains(number) else {
      throw RelabelError(
        .usage,
        "there is no shard \(shard); there are \(dataset.index.shards.count), counted from 0",
        at: Location(file: source.path)
      )
    }
    dataset.close(shard: number)
  }
}

/// The maps behind a pointer of the caller, for use in this process.
func opened(
  _ maps: UnsafeMutableRawPointer?
) throws(RelabelError) -> any LabelMapSource {
  try openMaps(maps).current()
}

/// What a pointer of the caller stands for.
func openMaps(_ maps: UnsafeMutableRawPointer?) throws(RelabelError) -> OpenMaps {
  guard let maps else { throw missing("maps") }
  return Unmanaged<OpenMaps>.fromOpaque(maps).takeUnretainedValue()
}

/// The images that a caller asks for; empty for none.
func wanted(
  _ positions: UnsafePointer<Int64>?,
  _ count: Int64
) throws(RelabelError) -> UnsafeBufferPointer<Int64> {
  guard count >= 0, count <= Int64(Int32.max) else {
    throw RelabelError(.usage, "\(count) images can't be read at once")
  }
  if count == 0 { return UnsafeBufferPointer(start: nil, count: 0) }
  guard let positions else { throw missing("positions") }
  return UnsafeBufferPointer(start: positions, count: Int(count))
}
