import Relabel

// Rows that are views of images: the functions of relabel.h, which documents them.

/// See relabel.h.
@c(relabel_find_views)
public func relabelFindViews(
  _ maps: UnsafeMutableRawPointer?,
  _ key: UnsafePointer<CChar>?,
  _ positions: UnsafeMutablePointer<Int64>?,
  _ room: Int64
) -> Int64 {
  Failure.number { () throws(RelabelError) in
    let source = try opened(maps)
    guard let key else { throw missing("key") }
    let found = try source.requiredPositions(forKey: String(cString: key))
    return try given(found, positions, room)
  }
}

/// See relabel.h.
@c(relabel_find_batch)
public func relabelFindBatch(
  _ maps: UnsafeMutableRawPointer?,
  _ epoch: Int64,
  _ batch: Int64,
  _ positions: UnsafeMutablePointer<Int64>?,
  _ room: Int64
) -> Int64 {
  Failure.number { () throws(RelabelError) in
    let source = try opened(maps)
    let found = try source.positions(inBatch: Int(batch), epoch: Int(epoch))
    if found.isEmpty {
      throw RelabelError(
        .notFound,
        "there is no batch \(batch) of epoch \(epoch); both are counted from 0",
        at: Location(file: source.path)
      )
    }
    return try given(found, positions, room)
  }
}

/// See relabel.h.
@c(relabel_find_replay)
public func relabelFindReplay(
  _ maps: UnsafeMutableRawPointer?,
  _ epoch: Int64,
  _ batch: Int64,
  _ slot: Int64
) -> Int64 {
  Failure.number { () throws(RelabelError) in
    let source = try opened(maps)
    let place = LabelView.Place(epoch: Int(epoch), batch: Int(batch), slot: Int(slot))
    if let position = try source.position(ofReplay: place) { return position }
    throw RelabelError(
      .notFound,
      "there is no slot \(slot) in batch \(batch) of epoch \(epoch); all are counted from 0",
      at: Location(file: source.path)
    )
  }
}

/// See relabel.h.
@c(relabel_views)
public func relabelViews(
  _ maps: UnsafeMutableRawPointer?,
  _ positions: UnsafePointer<Int64>?,
  _ count: Int64,
  _ views: UnsafeMutableRawPointer?,
  _ viewBytes: Int64
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let wanted = try wanted(positions, count)
    let least = MemoryLayout<ViewRecord>.stride
    guard (least...4096).contains(Int(viewBytes)) else {
      throw RelabelError(
        .usage,
        "view_bytes is \(viewBytes), not the size of a relabel_view: that has at least \(least) bytes"
      )
    }
    try forEachView(of: maps, at: wanted) { place, view throws(RelabelError) in
      guard let views else { throw missing("views") }
      let target = UnsafeMutableRawBufferPointer(
        start: views + place * Int(viewBytes),
        count: Int(viewBytes)
      )
      withUnsafeBytes(of: ViewRecord(view)) { target.copyBytes(from: $0) }
      // Members that a later header has and this library does not know.
      for rest in least..<Int(viewBytes) { target[rest] = 0 }
    }
  }
}

/// See relabel.h.
@c(relabel_view_operations)
public func relabelViewOperations(
  _ maps: UnsafeMutableRawPointer?,
  _ positions: UnsafePointer<Int64>?,
  _ count: Int64,
  _ texts: UnsafeMutablePointer<CChar>?,
  _ textBytes: Int64
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let wanted = try wanted(positions, count)
    guard (1...Int64(Layout.maximumOperationsBytes)).contains(textBytes) else {
      throw RelabelError(
        .usage,
        "text_bytes is \(textBytes), not 1 to \(Layout.maximumOperationsBytes)"
      )
    }
    let room = Int(textBytes)
    try forEachView(of: maps, at: wanted) { place, view throws(RelabelError) in
      guard let texts else { throw missing("texts") }
      var text = view.operations ?? ""
      let length = text.utf8.count
      guard length <= room else {
        throw RelabelError(.usage, "the operations have \(length) bytes, text_bytes is \(room)")
      }
      let target = UnsafeMutableRawBufferPointer(start: texts + place * room, count: room)
      text.withUTF8 { target.copyBytes(from: $0) }
      for rest in length..<room { target[rest] = 0 }
    }
  }
}

/// Goes through the views at some positions, a few at a time.
private func forEachView(
  of maps: UnsafeMutableRawPointer?,
  at positions: UnsafeBufferPointer<Int64>,
  _ body: (Int, LabelView) throws(RelabelError) -> Void
) throws(RelabelError) {
  let source = try opened(maps)
  for first in stride(from: 0, to: positions.count, by: 1024) {
    let part = positions[first..<min(first + 1024, positions.count)].map { Int($0) }
    for (place, view) in try source.views(at: part).enumerated() {
      do {
        try body(first + place, view)
      } catch {
        throw placed(error, first + place)
      }
    }
  }
}

/// Copies positions into the memory of the caller as far as it goes, and says how many there are.
private func given(
  _ found: [Int],
  _ positions: UnsafeMutablePointer<Int64>?,
  _ room: Int64
) throws(RelabelError) -> Int {
  guard room >= 0 else { throw RelabelError(.usage, "room is \(room), less than nothing") }
  let count = min(found.count, Int(room))
  if count == 0 { return found.count }
  guard let positions else { throw missing("positions") }
  for place in 0..<count { positions[place] = Int64(found[place]) }
  return found.count
}
