/// Why a reader refuses a map: the first cell that breaks a rule which readers look at.
struct CellRefusal {
  let rule: Rule
  let dataset: String
  let message: String
  let cell: Location.Cell

  /// The first refusal in a map, or nil.
  ///
  /// Looks at one cell after the other, which a reader does once it knows that there is something.
  /// - Parameters:
  ///   - map: as it was decoded.
  ///   - stored: its scores as they are stored.
  ///   - header: of its shard.
  init?(in map: LabelMap, stored: ArraySlice<UInt8>, _ header: ShardHeader) {
    let unwrittenID = header.classIndexType.size == 2 ? UInt32(UInt16.max) : UInt32.max
    let type = header.encoding.elementType
    let fill = Layout.definedFillValue(type)
    for start in stride(from: 0, to: header.shape.entries, by: header.shape.topK) {
      let entries = start..<start + header.shape.topK
      let isUnwritten = entries.contains { entry in
        let place = stored.startIndex + entry * type.size
        return fill?.elementsEqual(stored[place..<place + type.size]) ?? false
      }
      let ids = Array(map.classIndex[entries])
      // One NaN is as good as another, whatever its bits.
      let scores = map.score[entries].map { $0.isNaN ? .nan : Double($0) }
      let found: (Rule, String, String)
      if ids.contains(unwrittenID) {
        found = (.v007, Layout.classIndex, "the map was never written")
      } else if isUnwritten {
        found = (.v007, Layout.score, "the map was never written")
      } else if ids.contains(where: { $0 >= header.numClasses }) {
        found = (
          .v001, Layout.classIndex, "class ids \(ids) are not all below \(header.numClasses)"
        )
      } else if Set(ids).count < ids.count {
        found = (.v002, Layout.classIndex, "class ids \(ids) are not distinct")
      } else if !scores.allSatisfy(\.isFinite) {
        found = (.v003, Layout.score, "scores \(scores) are not all finite")
      } else {
        continue
      }
      (rule, dataset, message) = found
      let place = map.cell(at: start)
      cell = Location.Cell(y: place.y, x: place.x)
      return
    }
    return nil
  }
}
