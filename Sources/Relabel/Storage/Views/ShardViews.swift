/// The datasets of views of a shard, a chunk of each at a time.
///
/// Callable from any thread; a chunk is decoded again for each call.
struct ShardViews {
  private let file: ShardFile

  init(_ file: ShardFile) { self.file = file }

  /// What a row says of its view.
  ///
  /// - Throws: `.usage` for a shard of images; the rule that a value breaks; what a damaged chunk breaks.
  func view(at row: Int) throws(RelabelError) -> LabelView {
    guard file.header.views != nil else {
      throw RelabelError(
        .usage,
        "the rows are images, not views of images",
        at: Location(file: file.path)
      )
    }
    let triple = try numbers(Layout.replay, row, Int32.self)
    let box = try value(Layout.viewBox, row).map { ViewValues.floats($0[...]) }
    let cut = try numbers(Layout.cutmixBox, row, Int32.self)
    let flip = try value(Layout.viewFlip, row)?[0]
    let text = try value(Layout.operations, row).map { $0[...].unpadded } ?? []
    return LabelView(
      number: Int(try numbers(Layout.view, row, Int32.self)?[0] ?? -1),
      box: box.map { LabelView.Box(top: $0[0], left: $0[1], height: $0[2], width: $0[3]) },
      isFlipped: flip.flatMap { $0 == 255 ? nil : $0 == 1 },
      seed: try numbers(Layout.viewSeed, row, Int64.self)?[0],
      replay: triple.flatMap {
        $0[0] < 0 ? nil : .init(epoch: Int($0[0]), batch: Int($0[1]), slot: Int($0[2]))
      },
      mixupShare: try share(Layout.mixupLambda, row),
      mixupPartner: try partner(Layout.mixupPartner, row),
      cutmixShare: try share(Layout.cutmixLambda, row),
      cutmixBox: cut.flatMap {
        $0[0] < 0
          ? nil
          : .init(top: Int($0[0]), left: Int($0[1]), bottom: Int($0[2]), right: Int($0[3]))
      },
      cutmixPartner: try partner(Layout.cutmixPartner, row),
      operations: text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    )
  }

  private func share(_ name: String, _ row: Int) throws(RelabelError) -> Double? {
    try value(name, row).map { ViewValues.floats($0[...])[0] }.flatMap { $0.isNaN ? nil : $0 }
  }

  private func partner(_ name: String, _ row: Int) throws(RelabelError) -> LabelView.Partner? {
    guard let pair = try numbers(name, row, Int64.self), pair[0] >= 0 || pair[1] >= 0 else {
      return nil
    }
    return .init(
      imageIndex: pair[0] < 0 ? nil : pair[0],
      slot: pair[1] < 0 ? nil : Int(pair[1])
    )
  }

  private func numbers<Number: FixedWidthInteger>(
    _ name: String,
    _ row: Int,
    _ type: Number.Type
  ) throws(RelabelError) -> [Number]? {
    try value(name, row).map { ViewValues.numbers($0[...], type) }
  }

  /// The bytes of a row's value, or nil without the dataset.
  private func value(_ name: String, _ row: Int) throws(RelabelError) -> [UInt8]? {
    guard let column = file.optional.first(where: { $0.name == name })?.column else { return nil }
    let bytes = try file.bytes(of: column, named: name, row / column.rowsPerChunk)
    let start = row % column.rowsPerChunk * column.rowBytes
    let value = Array(bytes[start..<start + column.rowBytes])
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
    do {
      let view = try ShardViews(file).view(at: row)
      try file.checkNotOverwritten()
      return view
    } catch {
      // What looks like damage may be another state of the file.
      try file.checkNotOverwritten()
      throw error
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
}
