internal import HelperProcesses
package import Relabel

// How the outcome of a check crosses from the helper: a fact for each entry of the tally, one for
// the shard, and three arrays.

extension ShardRequest {
  var json: JSON {
    .object([
      "path": .string(path),
      "jobs": .integer(Int64(jobs)),
      "reads_chunks": .bool(readsChunks),
      "sample": sample.map { .integer(Int64($0)) } ?? .null,
      "hashes": .bool(hashes),
    ])
  }

  init?(_ json: JSON) {
    guard let path = json["path"]?.string, let jobs = json["jobs"]?.integer else { return nil }
    self.init(path)
    self.jobs = Int(jobs)
    readsChunks = json["reads_chunks"] != .bool(false)
    sample = json["sample"]?.integer.map { Int($0) }
    hashes = json["hashes"] == .bool(true)
  }
}

extension ShardOutcome {
  /// Sends the outcome in pieces.
  func send(_ writer: MessageWriter) throws(RelabelError) {
    for entry in tally.entries {
      try writer.send(HelperMessage(.object(["violation": entry.json])))
    }
    try writer.send(
      HelperMessage(
        .object(["images": .integer(Int64(images)), "chunks": .integer(Int64(chunks))])
      )
    )
    if let sha256 { try writer.send(HelperMessage(.object(["sha256": .string(sha256)]))) }
    guard let facts else { return }
    try writer.send(HelperMessage(.object(["facts": facts.json])))
    for (name, words) in facts.arrays {
      try writer.send(HelperMessage(.object(["array": .string(name)])))
      for message in HelperMessage.words(words) { try writer.send(message) }
    }
  }
}

/// Puts the pieces of an outcome together again; the sender is not trusted.
struct ShardOutcomeReceiver {
  private(set) var outcome = ShardOutcome()
  private var array: String?
  private var factBytes = 0
  /// Rows that the file can hold at the most: no more are taken.
  private let rowLimit: Int
  /// All facts of an honest helper are far shorter.
  private static let maximumFactBytes = 64 << 20

  init(fileBytes: Int64) {
    // Deflate can't do better than 1,032 : 1, and a row has at least four bytes.
    rowLimit = Int(clamping: fileBytes.multipliedReportingOverflow(by: 300).partialValue)
  }

  mutating func receive(_ message: HelperMessage) throws(RelabelError) {
    switch message.kind {
    case .fact:
      factBytes += message.bytes.count
      if factBytes > Self.maximumFactBytes { throw RelabelError(.corrupt, "facts without end") }
      try receive(try message.json())
    case .words: try receive(message.words)
    case .progress, .done: break
    case .bytes: throw nonsense("bytes")
    }
  }

  private mutating func receive(_ fact: JSON) throws(RelabelError) {
    if let violation = fact["violation"] {
      guard let entry = Tally.Entry(violation) else { throw nonsense("a violation") }
      outcome.tally.add(entry)
    } else if let facts = fact["facts"] {
      guard let facts = ShardFacts(facts), facts.rows <= rowLimit else { throw nonsense("facts") }
      outcome.facts = facts
    } else if let name = fact["array"]?.string {
      array = name
    } else if let failure = fact["failure"]?.string {
      throw RelabelError(.io, failure)
    } else if let sha256 = fact["sha256"]?.string {
      guard sha256.isHexDigest else { throw nonsense("a digest") }
      outcome.sha256 = sha256
    } else if let images = fact["images"]?.count, let chunks = fact["chunks"]?.count {
      (outcome.images, outcome.chunks) = (images, chunks)
    } else {
      throw nonsense("a fact")
    }
  }

  private mutating func receive(_ words: [UInt64]) throws(RelabelError) {
    guard let array, var facts = outcome.facts else { throw nonsense("an array") }
    outcome.facts = nil  // so that the arrays grow in place
    let isTaken = facts.append(words, to: array, limit: rowLimit)
    outcome.facts = facts
    if !isTaken { throw nonsense("an array") }
  }

  private func nonsense(_ what: String) -> RelabelError {
    RelabelError(.corrupt, "\(what) that makes no sense")
  }
}

extension Tally.Entry {
  var json: JSON {
    let place = first.location
    var members: [String: JSON] = [
      "rule": .string(first.rule.id),
      "message": .string(first.message),
      "count": .integer(Int64(count)),
      "images": .integer(Int64(images)),
    ]
    members["dataset"] = place.dataset.map(JSON.string)
    members["key"] = place.key.map(JSON.string)
    members["row"] = place.row.map { .integer(Int64($0)) }
    members["cell"] = place.cell.map {
      .array([$0.y, $0.x, $0.rank].compactMap { $0.map { .integer(Int64($0)) } })
    }
    return .object(members)
  }

  init?(_ json: JSON) {
    guard let rule = json["rule"]?.string.flatMap(Rule.init(rawValue:)),
      let message = json["message"]?.string,
      let count = json["count"]?.count, let images = json["images"]?.count
    else { return nil }
    let cell = json["cell"]?.array?.compactMap { $0.integer.map { Int($0) } } ?? []
    let location = Location(
      dataset: json["dataset"]?.string,
      key: json["key"]?.string,
      row: json["row"]?.integer.map { Int($0) },
      cell: cell.count < 2
        ? nil : Location.Cell(y: cell[0], x: cell[1], rank: cell.count > 2 ? cell[2] : nil)
    )
    self.init(
      Violation(rule, message, at: location),
      count: count,
      images: images
    )
  }
}

extension ShardFacts {
  package var json: JSON {
    .object([
      "shared": .object(shared.members),
      "rows": .integer(Int64(rows)),
      "build_id": .string(buildID),
      "writer": .string(writer),
      "num_classes": .integer(Int64(numClasses)),
      "score_kind": .string(scoreKind),
      "metadata_sha256": .string(metadataSHA256),
      "classes_sha256": .optional(classesSHA256),
      "annotator": .optional(annotator),
      "is_shuffled": .bool(isShuffled),
      "has_views": .bool(views != nil),
      "score_min": .optional(scoreRange.map { Double($0.lowerBound) }),
      "score_max": .optional(scoreRange.map { Double($0.upperBound) }),
      "largest_error": .optional(largestError),
    ])
  }

  package init?(_ json: JSON) {
    guard case .object(let shared)? = json["shared"], let rows = json["rows"]?.count,
      let buildID = json["build_id"]?.string, let writer = json["writer"]?.string,
      let numClasses = json["num_classes"]?.integer, let scoreKind = json["score_kind"]?.string,
      let metadataSHA256 = json["metadata_sha256"]?.string
    else { return nil }
    self.shared = Statements(
      shared.sorted { $0.key < $1.key }.map { Statement($0.key, $0.value, .m008) }
    )
    self.rows = rows
    self.buildID = buildID
    self.writer = writer
    self.numClasses = Int(numClasses)
    self.scoreKind = scoreKind
    self.metadataSHA256 = metadataSHA256
    classesSHA256 = json["classes_sha256"]?.string
    annotator = json["annotator"]?.string
    isShuffled = json["is_shuffled"] == .bool(true)
    if json["has_views"] == .bool(true) { views = Views() }
    largestError = json["largest_error"]?.number
    if let low = json["score_min"]?.number, let high = json["score_max"]?.number {
      let (low, high) = (Float(low), Float(high))
      guard low.isFinite, high.isFinite, low <= high else { return nil }
      scoreRange = low...high
    }
  }

  /// The arrays by the names they travel under.
  var arrays: [(name: String, words: [UInt64])] {
    var arrays = [
      ("keys", keyHashes), ("indexes", imageIndexes.map(UInt64.init(bitPattern:))),
      ("digests", mapDigests),
    ]
    if let statistics {
      arrays.append(("statistics", statistics.words))
      arrays.append(("best", statistics.counts.best))
      arrays.append(("seen", statistics.counts.seen))
      arrays.append(("labels", statistics.counts.labels))
    }
    if let views {
      arrays.append(("view_keys", views.keyHashes))
      arrays.append(("batches", views.batches))
      arrays.append(("partners", views.partners.map(UInt64.init(bitPattern:))))
    }
    return arrays
  }

  /// False when the array is not known or grows beyond `limit`.
  mutating func append(_ words: [UInt64], to array: String, limit: Int) -> Bool {
    switch array {
    case "keys": keyHashes += words
    case "indexes": imageIndexes += words.map { Int64(bitPattern: $0) }
    case "digests": mapDigests += words
    case "view_keys" where views != nil: views?.keyHashes += words
    case "batches" where views != nil: views?.batches += words
    case "partners" where views != nil: views?.partners += words.map { Int64(bitPattern: $0) }
    case "statistics":
      statistics = LabelStatistics(words)
      if statistics == nil { return false }
    case "best" where words.allSatisfy(LabelStatistics.counts.contains):
      statistics?.counts.best += words
    case "seen": statistics?.counts.seen += words
    case "labels" where words.allSatisfy(LabelStatistics.counts.contains):
      statistics?.counts.labels += words
    default: return false
    }
    let counts = statistics?.counts
    let classes =
      (counts?.best.count ?? 0) + (counts?.seen.count ?? 0) + (counts?.labels.count ?? 0)
    let ofViews = [views?.keyHashes.count, views?.batches.count, views?.partners.count]
    return max(keyHashes.count, imageIndexes.count, mapDigests.count) <= limit
      // A view may have two partners.
      && ofViews.allSatisfy { ($0 ?? 0) <= 2 * limit }
      && classes <= 3 * LabelCounts.mostClasses
  }
}

extension LabelStatistics {
  /// Everything but the counts of single classes.
  fileprivate var words: [UInt64] {
    let near = counts.neighbours
    let whole = [
      images, counts.labelled, counts.agreeing, counts.judged, near.maps, near.pairs, near.sameID,
      near.sameScore, counts.zeroFit.entries, counts.zeroFit.entriesBelow, counts.zeroFit.cells,
      counts.zeroFit.cellsBelow, counts.ownShare.sum, counts.ownShare.squares,
    ]
    return whole.map { UInt64(clamping: $0) }
      + [scoreMean.bitPattern, scoreSpread.bitPattern, counts.likelyKinds.rawValue]
      + [UInt64(counts.zeroFit.lowest.bitPattern)]
  }

  /// Numbers that are counts, not nonsense: sums of them can't overflow.
  fileprivate static let counts: ClosedRange<UInt64> = 0...(1 << 40)
  /// Means of scores, which are 32-bit.
  private static let scores =
    -Double(
      Float.greatestFiniteMagnitude
    )...Double(
      Float.greatestFiniteMagnitude
    )
  /// Sums of squares of them: no deviation is NaN, and no sum of shards is infinite.
  private static let squares = 0...1e100

  fileprivate init?(_ words: [UInt64]) {
    guard words.count == 18, words[..<14].allSatisfy(Self.counts.contains),
      Self.scores.contains(Double(bitPattern: words[14])),
      Self.squares.contains(Double(bitPattern: words[15])),
      let lowest = UInt32(exactly: words[17]), !Float(bitPattern: lowest).isNaN
    else { return nil }
    let whole = words[..<14].map { Int($0) }
    var counts = LabelCounts(
      numClasses: 0,
      likelyKinds: LabelCounts.LikelyKinds(rawValue: words[16])
    )
    (counts.labelled, counts.agreeing, counts.judged) = (whole[1], whole[2], whole[3])
    counts.neighbours.maps = whole[4]
    counts.neighbours.pairs = whole[5]
    counts.neighbours.sameID = whole[6]
    counts.neighbours.sameScore = whole[7]
    (counts.zeroFit.entries, counts.zeroFit.entriesBelow) = (whole[8], whole[9])
    (counts.zeroFit.cells, counts.zeroFit.cellsBelow) = (whole[10], whole[11])
    (counts.ownShare.sum, counts.ownShare.squares) = (whole[12], whole[13])
    counts.zeroFit.lowest = Float(bitPattern: lowest)
    self.init(counts)
    images = whole[0]
    scoreMean = Double(bitPattern: words[14])
    scoreSpread = Double(bitPattern: words[15])
  }
}
