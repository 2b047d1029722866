/// The datasets of views of a shard, a chunk of each at a time: rows of one chunk that follow each other cost one.
struct ShardViews {
  private let file: ShardFile
  /// The chunk of each dataset that was decoded last.
  private var held: [String: (chunk: Int, bytes: [UInt8])] = [:]

  init(_ file: ShardFile) { self.file = file }

  /// What a row says of its view.
  ///
  /// - Throws: `.usage` for a shard of images; the rule that a value breaks; what a damaged chunk breaks.
  mutating func view(at row: Int) throws(RelabelError) -> LabelView {
    guard file.header.views != nil else {
      throw RelabelError(
        .usage,
        "the rows are images, not views of images",
        at: Location(file: file.path)
      )
    }
    var view = LabelView(number: Int(try number(at: row)))
    if let box = try value(Layout.viewBox, row).map({ ViewValues.floats($0[...]) }) {
      view.box = LabelView.Box(top: box[0], left: box[1], height: box[2], width: box[3])
    }
    if let flip = try value(Layout.viewFlip, row)?[0], flip != 255 { view.isFlipped = flip == 1 }
    view.seed = try numbers(Layout.viewSeed, row, Int64.self)?[0]
    view.replay = try replay(at: row)
    view.mixupShare = try share(Layout.mixupLambda, row)
    view.mixupPartner = try partner(Layout.mixupPartner, row)
    view.cutmixShare = try share(Layout.cutmixLambda, row)
    if let box = try numbers(Layout.cutmixBox, row, Int32.self)?.map(Int.init), box[0] >= 0 {
      view.cutmixBox = .init(top: box[0], left: box[1], bottom: box[2], right: box[3])
    }
    view.cutmixPartner = try partner(Layout.cutmixPartner, row)
    if let text = try value(Layout.operations, row)?[...].unpadded, !text.isEmpty {
      view.operations = String(decoding: text, as: UTF8.self)
    }
    return view
  }

  /// The number of a row's view within its image.
  ///
  /// - Throws: as `view(at:)`.
  mutating func number(at row: Int) throws(RelabelError) -> Int32 {
    try numbers(Layout.view, row, Int32.self)?[0] ?? -1
  }

  /// Where a row stands in the replay; nil for a view that is in no batch.
  ///
  /// - Throws: as `view(at:)`.
  mutating func replay(at row: Int) throws(RelabelError) -> LabelView.Place? {
    guard let place = try numbers(Layout.replay, row, Int32.self)?.map(Int.init), place[0] >= 0
    else { return nil }
    return .init(epoch: place[0], batch: place[1], slot: place[2])
  }

  private mutating func share(_ name: String, _ row: Int) throws(RelabelError) -> Double? {
    try value(name, row).map { ViewValues.floats($0[...])[0] }.flatMap { $0.isNaN ? nil : $0 }
  }

  private mutating func partner(_ name: String, _ row: Int) throws(RelabelError) -> LabelView
    .Partner?
  {
    guard let pair = try numbers(name, row, Int64.self), pair[0] >= 0 || pair[1] >= 0 else {
      return nil
    }
    return .init(
      imageIndex: pair[0] < 0 ? nil : pair[0],
      slot: pair[1] < 0 ? nil : Int(pair[1])
    )
  }

  private mutating func numbers<Number: FixedWidthInteger>(
    _ name: String,
    _ row: Int,
    _ type: Number.Type
  ) throws(RelabelError) -> [Number]? {
    try value(name, row).map { ViewValues.numbers($0[...], type) }
  }

  /// The bytes of a row's value, or nil without the dataset.
  private mutating func value(_ name: String, _ row: Int) throws(RelabelError) -> [UInt8]? {
    guard let column = file.optional.first(where: { $0.name == name })?.column else { return nil }
    let chunk = row / column.rowsPerChunk
    let start = row % column.rowsPerChunk * column.rowBytes
    if held[name]?.chunk != chunk {
      held[name] = (chunk, try file.bytes(of: column, named: name, chunk))
    }
    let value = Array(held[name]?.bytes[start..<start + column.rowBytes] ?? [])
    if let fault = fault(value, name, column) {
      throw RelabelError(
        fault.rule,
        fault.reason,
        at: Location(file: file.path, dataset: name, row: row)
      )
    }
    return value
  }

  private func fault(
    _ value: [UInt8],
    _ name: String,
    _ column: StoredColumn
  ) -> (rule: Rule, reason: String)? {
    let fill = Layout.fillValue(column.description.type)
    if !Layout.mayBeUnknown.contains(name),
      stride(from: 0, to: value.count, by: fill.count)
        .contains(where: { value[$0..<$0 + fill.count] == fill[...] })
    {
      return (.v007, "a value of the row was never written")
    }
    if OptionalValues.firstNonFinite(value[...], of: name) != nil {
      return (.v003, "a value is not finite")
    }
    return OptionalValues.fault(
      value[...],
      of: name,
      numClasses: file.header.numClasses,
      viewSize: file.header.views?.size
    )
  }
}

extension ShardReader {
  /// What a row says of its view.
  ///
  /// - Throws: `.usage` for a shard of images; the rule that a value breaks; `.notFound` outside 0 ..< `count`.
  /// - Complexity: decodes a chunk of each HDF5 dataset of views.
  public func view(at row: Int) throws(RelabelError) -> LabelView {
    guard (0..<count).contains(row) else { throw noSuchPosition(row) }
    return try withViews { views throws(RelabelError) in try views.view(at: row) }
  }

  /// Reads the datasets of views; afterwards the file still is what it was.
  ///
  /// - Throws: what `body` throws; `.corrupt` for a file that was overwritten meanwhile.
  func withViews<Result>(
    _ body: (inout ShardViews) throws(RelabelError) -> Result
  ) throws(RelabelError) -> Result {
    var views = ShardViews(file)
    do {
      let result = try body(&views)
      try file.checkNotOverwritten()
      return result
    } catch {
      // What looks like damage may be another state of the file.
      try file.checkNotOverwritten()
      throw error
    }
  }

  /// The number of each view, in row order; empty where rows are images.
  ///
  /// - Throws: as `view(at:)`.
  package func viewNumbers() throws(RelabelError) -> [Int32] {
    guard header.views != nil else { return [] }
    return try withViews { views throws(RelabelError) in
      var numbers: [Int32] = []
      for row in 0..<count { numbers.append(try views.number(at: row)) }
      return numbers
    }
  }
}

extension LabelMapSource {
  /// What the row at a position says of its view.
  ///
  /// - Throws: as `ShardReader.view(at:)`.
  public func view(at position: Int) throws(RelabelError) -> LabelView {
    let (reader, first) = try shard(holding: position)
    return try reader.view(at: position - first)
  }

  /// What the rows at some positions say of their views, in the order given.
  ///
  /// - Throws: as `ShardReader.view(at:)`.
  /// - Complexity: positions that follow each other in a chunk of views cost one chunk.
  public func views(at positions: [Int]) throws(RelabelError) -> [LabelView] {
    var found: [LabelView] = []
    found.reserveCapacity(positions.count)
    var next = 0
    while next < positions.count {
      let (reader, first) = try shard(holding: positions[next])
      let rows = first..<first + reader.count
      let end = positions[next...].firstIndex { !rows.contains($0) } ?? positions.count
      try reader.withViews { views throws(RelabelError) in
        for position in positions[next..<end] {
          found.append(try views.view(at: position - first))
        }
      }
      next = end
    }
    return found
  }
}
