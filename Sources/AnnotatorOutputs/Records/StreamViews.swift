import Relabel

/// What the header of a stream of views says of all of them (stream.md, section 2.1).
enum StreamViews {
  /// The members of the header that only views have.
  static let members = [
    "views", "view_size", "box_type", "operations_bytes", "cell_order", "row_order",
    "score_encoding", "rows_together", "temperature",
  ]

  /// What the members say together.
  ///
  /// - Throws: `.invalidInput` for what is missing or wrong.
  static func traits(_ json: JSON, _ fields: [String]) throws(RelabelError) -> ViewTraits {
    guard fields.contains(Layout.view) else {
      throw StreamHeader.wrong("'fields' of the header lacks 'view', which every view has")
    }
    guard let document = json["views"], case .object = document else {
      throw StreamHeader.wrong("'views' of the header is not an object")
    }
    var facts = ViewFacts(size: try size(json))
    facts.boxType = try optionalWord(json, "box_type")
    guard (facts.boxType != nil) == fields.contains(Layout.viewBox) else {
      throw StreamHeader.wrong("'box_type' of the header goes with the field 'view_box'")
    }
    facts.operationsBytes = try count(json, "operations_bytes", Layout.maximumOperationsBytes) ?? 0
    guard (facts.operationsBytes > 0) == fields.contains(Layout.operations) else {
      throw StreamHeader.wrong("'operations_bytes' of the header goes with the field 'operations'")
    }
    guard facts.size != nil || !fields.contains(Layout.cutmixBox) else {
      throw StreamHeader.wrong(
        "'view_size' of the header is missing, in whose pixels 'cutmix_box' is"
      )
    }
    var order = RowOrder.source
    if let text = json["row_order"] {
      guard let found = text.string.flatMap(RowOrder.init), found == .source || found.isOfViews
      else {
        throw StreamHeader.wrong("'row_order' of the header is not 'source', 'image' or 'replay'")
      }
      order = found
    }
    var traits = ViewTraits(facts: facts, rowOrder: order, document: document)
    traits.cellOrder = try optionalWord(json, "cell_order")
    traits.encoding = try optionalWord(json, "score_encoding")
    traits.rowsTogether = try count(json, "rows_together", Layout.maximumRowsPerChunk)
    if let temperature = json["temperature"] {
      guard let value = temperature.number, value > 0, value.isFinite else {
        throw StreamHeader.wrong("'temperature' of the header is not a positive number")
      }
      traits.temperature = value
    }
    return traits
  }

  private static func size(_ json: JSON) throws(RelabelError) -> ViewFacts.Size? {
    guard let value = json["view_size"] else { return nil }
    let sides = value.array?.compactMap(\.count) ?? []
    guard value.array?.count == 2, sides.count == 2,
      sides.allSatisfy({ (1...Int(Int32.max)).contains($0) })
    else { throw StreamHeader.wrong("'view_size' of the header is not [height, width]") }
    return ViewFacts.Size(height: sides[0], width: sides[1])
  }

  private static func count(
    _ json: JSON,
    _ name: String,
    _ most: Int
  ) throws(RelabelError) -> Int? {
    guard let value = json[name] else { return nil }
    guard let count = value.count, (1...most).contains(count) else {
      throw StreamHeader.wrong("'\(name)' of the header is not a number from 1 to \(most)")
    }
    return count
  }

  private static func optionalWord<Word: RawRepresentable<String> & CaseIterable>(
    _ json: JSON,
    _ name: String
  ) throws(RelabelError) -> Word? {
    json[name] == nil ? nil : try StreamHeader.word(json, name)
  }
}
