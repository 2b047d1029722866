/// The facts of the format as one JSON document, which other implementations compare their tables with.
///
/// `relabel-conformance contract` prints it; `spec/contract.json` is what it printed.
public enum Contract {
  /// Rules, exit statuses, limits, words, columns and encodings of this version.
  ///
  /// - Throws: never for the encodings of this version: each has a default step for each score kind.
  public static func document() throws(RelabelError) -> JSON {
    var encodings: [JSON] = []
    for name in ScoreEncoding.Name.allCases { encodings.append(try encoding(name)) }
    return .object([
      "format_version": .string("\(FormatVersion.newest)"),
      "features": .array(FormatVersion.supportedFeatures.sorted().map(JSON.string)),
      "rules": .array(Rule.allCases.map(rule)),
      "exit_statuses": .object(
        Dictionary(
          uniqueKeysWithValues: ExitStatus.allCases.map { ("\($0.rawValue)", .string($0.title)) }
        )
      ),
      "limits": .object(limits.mapValues { .integer(Int64($0)) }),
      "words": .object(words.mapValues { .array($0.map(JSON.string)) }),
      "columns": .array(
        Layout.required.map { column($0, isRequired: true) }
          + Layout.optional.map { column($0, isRequired: false) }
      ),
      "encodings": .array(encodings),
    ])
  }

  /// The limits of section 3.11 and of the documents in a shard.
  private static let limits: [String: Int] = [
    "chunk_bytes": Layout.maximumChunkBytes,
    "grid_side": Layout.maximumGridSide,
    "top_k": Layout.maximumTopK,
    "num_classes": Int(UInt32.max),
    "key_bytes": ImageKey.maximumBytes,
    "operations_bytes": Layout.maximumOperationsBytes,
    "attribute_bytes": MetadataDocument.pieceBytes,
    "attributes": Layout.maximumAttributes,
    "datasets": Layout.maximumDatasets,
    "rows_per_chunk": Layout.maximumRowsPerChunk,
    "metadata_bytes": MetadataDocument.maximumBytes,
    "json_depth": JSONParser.maximumDepth,
    "index_bytes": DatasetIndex.maximumBytes,
  ]

  private static let words: [String: [String]] = [
    "score_kind": ScoreKind.allCases.map(\.rawValue),
    "fill": Fill.allCases.map(\.rawValue),
    "orientation": Orientation.allCases.map(\.rawValue),
    "cell_order": CellOrder.allCases.map(\.rawValue),
    "encoding": ScoreEncoding.Name.allCases.map(\.rawValue),
    "profile": PoolingProfile.allCases.map(\.rawValue),
  ]

  private static func rule(_ rule: Rule) -> JSON {
    .object([
      "id": .string(rule.id),
      "title": .string(rule.title),
      "stage": .string("\(rule.stage)"),
      "severity": .string(rule.severity.rawValue),
      "outcome": .string(rule.outcome.rawValue),
      "exit_status": .integer(Int64(rule.outcome.exitStatus.rawValue)),
    ])
  }

  private static func column(_ column: Layout.Column, isRequired: Bool) -> JSON {
    .object([
      "name": .string(column.name),
      "axes": .string(column.axes),
      "types": .array(
        column.types.isEmpty
          ? [.string("utf8")] : column.types.map(\.description).sorted().map(JSON.string)
      ),
      "required": .bool(isRequired),
      "shuffled": .bool(column.isShuffled),
      "may_be_unknown": .bool(Layout.mayBeUnknown.contains(column.name)),
      "attributes": .array(column.attributes.sorted().map(JSON.string)),
    ])
  }

  private static func encoding(_ name: ScoreEncoding.Name) throws(RelabelError) -> JSON {
    var defaults: [String: JSON] = [:]
    for kind in ScoreKind.allCases {
      guard let packing = try ScoreEncoding(name, for: kind).packing else { continue }
      defaults[kind.rawValue] = .object([
        "step": .number(Double(packing.step)), "offset": .number(Double(packing.offset)),
      ])
    }
    return .object([
      "name": .string(name.rawValue),
      "type": .string("\(ScoreEncoding(name: name, packing: nil).elementType)"),
      "highest_stored": .optional(name.highestStored),
      "defaults": .object(defaults),
    ])
  }
}
