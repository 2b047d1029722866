import Relabel
import RelabelVerification

/// What can be saved of one shard; about 50 bytes an image and what keys take.
struct ShardSurvey: Sendable {
  private(set) var facts: ShardFacts
  private(set) var keys = KeyList()
  /// −1 for one that is lost.
  private(set) var imageIndexes: [Int64] = []
  /// In the order of rows.
  private(set) var faults: [SurveyedRows.Faulty] = []
  /// Rows of optional datasets whose value is lost and may be.
  private(set) var unknown: [String: [Int]] = [:]
  /// Empty for rows of images.
  private(set) var views: [SurveyedView] = []

  /// Surveys a shard.
  ///
  /// - Parameters:
  ///   - path: the shard.
  ///   - options: what to leave out, threads, isolation.
  ///   - progress: is told how many rows were read.
  /// - Returns: the survey, or why nothing of the shard can be read.
  /// - Throws: `.io` when the system refuses the file or the helper.
  static func of(
    _ path: String,
    _ options: RecoverOptions,
    progress: (Int) -> Void
  ) throws(RelabelError) -> Result<ShardSurvey, RelabelError> {
    let request = ShardSalvage.request(path, without: options.without, jobs: options.jobs)
    var survey: ShardSurvey?
    let failure = try ShardTask.survey.run(
      request,
      on: path,
      jobs: options.jobs,
      options.isolation
    ) { fact throws(RelabelError) in
      if let facts = fact["facts"] {
        survey = ShardFacts(facts).map(ShardSurvey.init)
      } else {
        guard var known = survey else { throw RelabelError(.corrupt, "rows before facts") }
        survey = nil  // so that the arrays grow in place
        progress(try known.add(fact["rows"]))
        survey = known
      }
    }
    if let failure { return .failure(failure) }
    guard let survey, survey.imageIndexes.count == survey.facts.rows else {
      return .failure(RelabelError(.corrupt, "the helper process did not tell of every row"))
    }
    return .success(survey)
  }

  private init(_ facts: ShardFacts) { self.facts = facts }

  /// Takes the next rows and says how many; the sender is not trusted.
  private mutating func add(_ json: JSON?) throws(RelabelError) -> Int {
    guard let rows = json.flatMap(SurveyedRows.init), rows.first == imageIndexes.count,
      imageIndexes.count + rows.keys.count <= facts.rows
    else { throw RelabelError(.corrupt, "rows that make no sense") }
    for key in rows.keys { keys.append(key) }
    imageIndexes += rows.imageIndexes.map { $0 ?? -1 }
    faults += rows.faults
    views += rows.views
    guard views.isEmpty || views.count == imageIndexes.count else {
      throw RelabelError(.corrupt, "rows of which only some are views")
    }
    unknown.merge(rows.unknown) { $0 + $1 }
    return rows.keys.count
  }
}

extension ShardSurvey {
  /// A row as reports of losses name it.
  func image(_ row: Int, cell: Location.Cell? = nil) -> Loss.Image {
    let index = imageIndexes[row]
    return Loss.Image(row: row, key: keys[row], imageIndex: index < 0 ? nil : index, cell: cell)
  }
}

/// Keys by row, one after the other in memory.
struct KeyList: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  /// Appends a key, or nil where it is lost.
  mutating func append(_ key: String?) {
    bytes += Array((key ?? "").utf8)
    ends.append(bytes.count)
  }

  /// The key of a row; nil where it is lost, since no key is empty.
  subscript(row: Int) -> String? {
    let start = row == 0 ? 0 : ends[row - 1]
    return start == ends[row] ? nil : String(decoding: bytes[start..<ends[row]], as: UTF8.self)
  }
}
