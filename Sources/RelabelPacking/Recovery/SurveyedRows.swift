import Relabel

/// What a survey found in some neighbouring rows, as it crosses from a helper process.
struct SurveyedRows {
  /// A fault with its row.
  struct Faulty: Hashable, Sendable {
    let row: Int
    let fault: RowFault
  }

  let first: Int
  /// Nil for keys that are lost.
  private(set) var keys: [String?] = []
  /// Nil for image indexes that are lost.
  private(set) var imageIndexes: [Int64?] = []
  private(set) var faults: [Faulty] = []
  /// Rows of optional datasets whose value is lost and may be.
  private(set) var unknown: [String: [Int]] = [:]
  /// Empty for rows of images.
  private(set) var views: [SurveyedView] = []

  init(first: Int) { self.first = first }

  mutating func add(_ row: Int, _ key: String?, _ imageIndex: Int64?, _ faults: [RowFault]) {
    keys.append(key)
    imageIndexes.append(imageIndex)
    self.faults += faults.map { Faulty(row: row, fault: $0) }
  }

  mutating func add(_ view: SurveyedView) { views.append(view) }

  mutating func addUnknown(_ row: Int, of dataset: String) {
    unknown[dataset, default: []].append(row)
  }
}

extension SurveyedRows {
  var json: JSON {
    .object([
      "first": .integer(Int64(first)),
      "keys": .array(keys.map(JSON.optional)),
      "image_indexes": .array(imageIndexes.map { $0.map(JSON.integer) ?? .null }),
      "faults": .array(faults.map(\.json)),
      "unknown": .object(unknown.mapValues { .array($0.map { .integer(Int64($0)) }) }),
      "views": .array(views.map(\.json)),
    ])
  }

  init?(_ json: JSON) {
    guard let first = json["first"]?.count, let keys = json["keys"]?.array,
      let indexes = json["image_indexes"]?.array, let faults = json["faults"]?.array,
      case .object(let unknown)? = json["unknown"], keys.count == indexes.count
    else { return nil }
    self.first = first
    self.keys = keys.map(\.string)
    imageIndexes = indexes.map(\.integer)
    self.faults = faults.compactMap(Faulty.init)
    self.unknown = unknown.mapValues { rows in
      (rows.array ?? []).compactMap { $0.integer.map { Int($0) } }
    }
    let found = json["views"]?.array ?? []
    views = found.compactMap(SurveyedView.init)
    guard views.count == found.count, views.isEmpty || views.count == keys.count else { return nil }
    let rows = self.first..<self.first + keys.count
    guard self.faults.count == faults.count, self.faults.allSatisfy({ rows.contains($0.row) }),
      self.unknown.values.allSatisfy({ $0.allSatisfy(rows.contains) })
    else { return nil }
  }
}

extension SurveyedRows.Faulty {
  fileprivate var json: JSON {
    var members: [String: JSON] = [
      "row": .integer(Int64(row)),
      "part": .string(fault.part.rawValue),
      "reason": .string(fault.reason),
    ]
    members["cell"] = fault.cell.map { .array([.integer(Int64($0.y)), .integer(Int64($0.x))]) }
    return .object(members)
  }

  fileprivate init?(_ json: JSON) {
    guard let row = json["row"]?.integer,
      let part = json["part"]?.string.flatMap(RowFault.Part.init),
      let reason = json["reason"]?.string
    else { return nil }
    let cell = json["cell"]?.array?.compactMap { $0.integer.map { Int($0) } } ?? []
    self.row = Int(row)
    fault = RowFault(
      part,
      reason,
      cell: cell.count == 2 ? Location.Cell(y: cell[0], x: cell[1]) : nil
    )
  }
}
