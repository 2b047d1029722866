import Relabel

/// Which rows of a shard to write where, and as what.
///
/// It travels in a file: it may be longer than a command line.
struct CopyOrder: Hashable, Sendable {
  var path: String
  /// The new shard.
  var target: String
  var buildID: String
  var writer: String
  /// Optional datasets of the new shard.
  var optional: [String]
  /// The order of rows to declare; nil for that of the source.
  var rowOrder: RowOrder?
  /// Rows, in ascending order.
  var rows: [Int]
  /// Keys for rows whose own is lost.
  var keys: [Int: String]
  /// Image indexes for rows whose own is lost.
  var imageIndexes: [Int: Int64]
  /// Rows whose value of an optional dataset is not known.
  var unknown: [String: Set<Int>]
  var jobs: Int
}

extension CopyOrder {
  /// The order as JSON.
  var json: JSON {
    .object([
      "path": .string(path),
      "target": .string(target),
      "build_id": .string(buildID),
      "writer": .string(writer),
      "optional": .array(optional.map(JSON.string)),
      "row_order": .optional(rowOrder.map { "\($0)" }),
      "rows": .rows(rows),
      "keys": .array(
        keys.sorted { $0.key < $1.key }.map { .array([.row($0.key), .string($0.value)]) }
      ),
      "image_indexes": .array(
        imageIndexes.sorted { $0.key < $1.key }.map { .array([.row($0.key), .integer($0.value)]) }
      ),
      "unknown": .object(unknown.mapValues { .rows($0.sorted()) }),
      "jobs": .row(jobs),
    ])
  }

  /// Reads an order from a file.
  ///
  /// - Throws: `.io`, or `.internalFault` for a file that holds none.
  init(readFrom file: String) throws(RelabelError) {
    let json = try JSON(parsing: Folder.contents(file, limit: .max))
    guard let path = json["path"]?.string, let target = json["target"]?.string,
      let buildID = json["build_id"]?.string, let writer = json["writer"]?.string,
      let optional = json["optional"]?.array, let rows = json["rows"]?.rows,
      let keys = json["keys"]?.array, let indexes = json["image_indexes"]?.array,
      case .object(let unknown)? = json["unknown"], let jobs = json["jobs"]?.integer
    else { throw RelabelError(.internalFault, "this is no order") }
    self.init(
      path: path,
      target: target,
      buildID: buildID,
      writer: writer,
      optional: optional.compactMap(\.string),
      rowOrder: json["row_order"]?.string.flatMap(RowOrder.init),
      rows: rows,
      keys: Self.byRow(keys) { $0.string },
      imageIndexes: Self.byRow(indexes) { $0.integer },
      unknown: unknown.mapValues { Set($0.rows ?? []) },
      jobs: Int(jobs)
    )
  }

  private static func byRow<Value>(_ pairs: [JSON], _ value: (JSON) -> Value?) -> [Int: Value] {
    var values: [Int: Value] = [:]
    for pair in pairs.compactMap(\.array) where pair.count == 2 {
      if let row = pair[0].integer { values[Int(row)] = value(pair[1]) }
    }
    return values
  }
}

extension JSON {
  fileprivate static func row(_ row: Int) -> JSON { .integer(Int64(row)) }

  fileprivate static func rows(_ rows: [Int]) -> JSON { .array(rows.map(row)) }

  fileprivate var rows: [Int]? { array.map { $0.compactMap { $0.integer.map { Int($0) } } } }
}
