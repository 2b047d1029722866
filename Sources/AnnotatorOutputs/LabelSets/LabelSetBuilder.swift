import Relabel

/// One image of a list of labels: its classes, each with a score or none.
struct LabelSet {
  var key = ""
  var ids: [UInt32] = []
  /// As many as `ids`, or none.
  var scores: [Float] = []
  /// The class that the source gives, where the list has a place for it; -1 for none.
  var sourceLabel: Int32 = -1
}

/// What words of labels mean.
struct LabelWords {
  private let hasTable: Bool
  private let indexes: [String: Int32]
  /// -1 for a name that several classes have.
  private let names: [String: Int32]

  init(_ options: InputOptions) {
    hasTable = options.classes != nil
    indexes = options.classes?.indexes ?? [:]
    let entries = options.classes?.entries ?? []
    names = Dictionary(
      entries.enumerated().map { ($1.name, Int32(clamping: $0)) },
      uniquingKeysWith: { _, _ in -1 }
    )
  }

  /// The class that a word means: a number, an id of the class list, or a name in it.
  func classIndex(_ word: String) throws(RelabelError) -> UInt32 {
    if let number = UInt32(word) { return number }
    if let index = indexes[word] ?? names[word], index >= 0 { return UInt32(index) }
    let why =
      if !hasTable {
        "it is not a number: give the class list with --classes"
      } else if names[word] != nil {
        "it is the name of several classes"
      } else {
        "the class list does not have it"
      }
    throw RelabelError(.invalidInput, "the label '\(word)' is not known: \(why)")
  }
}

/// Takes the images of a list of labels one by one and keeps them on disk.
struct LabelSetBuilder {
  /// Where images lie in the spool, and what was wrong with some.
  private var records: SpooledBytes.Writer
  private var offsets: SpooledBytes.Writer
  private var faults: [Int: RelabelError] = [:]
  private var count = 0
  /// The most classes of an image.
  private var longest = 0
  private var isRagged = false
  private(set) var hasScores: Bool?
  private let options: InputOptions

  /// Broken images that are told one by one.
  private static let maximumFaults = 10_000

  init(_ options: InputOptions) {
    self.options = options
    records = SpooledBytes.Writer(directory: options.spoolDirectory)
    offsets = SpooledBytes.Writer(directory: options.spoolDirectory)
  }

  /// Takes the next image; one that is wrong fails alone.
  ///
  /// - Parameters:
  ///   - key: of the image.
  ///   - line: its place in the file, for errors.
  ///   - make: gives the image; what it throws is told of it.
  /// - Throws: `.invalidInput` after very many, `.io`.
  mutating func add(
    key: String,
    at line: String,
    _ make: (inout LabelSet) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    var set = LabelSet(key: key)
    do throws(RelabelError) {
      try make(&set)
      try check(&set)
    } catch {
      if error.code == .io || error.code == .usage { throw error }
      guard faults.count < Self.maximumFaults else {
        throw RelabelError(
          .invalidInput,
          "more than \(Self.maximumFaults) images of the list can't be read; \(line): \(error.message)"
        )
      }
      faults[count] = RelabelError(error.code, "\(line): \(error.message)")
      set = LabelSet(key: key)
    }
    try append(set)
  }

  private mutating func check(_ set: inout LabelSet) throws(RelabelError) {
    guard set.scores.isEmpty || set.scores.count == set.ids.count else {
      throw RelabelError(.invalidInput, "only some of its labels have scores")
    }
    if options.isBackgroundFirst {
      let kept = set.ids.indices.filter { set.ids[$0] != 0 }
      if !set.scores.isEmpty { set.scores = kept.map { set.scores[$0] } }
      set.ids = kept.map { set.ids[$0] - 1 }
      set.sourceLabel = max(-1, set.sourceLabel - 1)
    }
    guard !set.ids.isEmpty else {
      throw RelabelError(
        .invalidInput,
        "it has no label: leave such images out with --on-bad-input skip"
      )
    }
    guard set.ids.count <= Layout.maximumTopK else {
      throw RelabelError(.invalidInput, "it has \(set.ids.count) labels")
    }
    guard Set(set.ids).count == set.ids.count else {
      throw RelabelError(.invalidInput, "it has a label twice")
    }
    if let hasScores, hasScores == set.scores.isEmpty {
      throw RelabelError(
        .invalidInput,
        "its labels have \(hasScores ? "no scores, and those before have" : "scores, and those before have none")"
      )
    }
    hasScores = !set.scores.isEmpty
  }

  private mutating func append(_ set: LabelSet) throws(RelabelError) {
    let start = records.count
    try offsets.append { bytes in
      withUnsafeBytes(of: start) { bytes.append(contentsOf: $0) }
    }
    try records.append { bytes in
      func put(_ value: some BitwiseCopyable) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
      }
      put(UInt32(set.ids.count))
      put(set.sourceLabel)
      for place in set.ids.indices {
        put(set.ids[place])
        put(set.scores.isEmpty ? Float.nan : set.scores[place])
      }
      bytes.append(contentsOf: set.key.utf8)
    }
    if count > 0, longest > 0, !set.ids.isEmpty, set.ids.count != longest { isRagged = true }
    longest = max(longest, set.ids.count)
    count += 1
  }

  /// The images.
  ///
  /// - Parameters:
  ///   - dialect: its name.
  ///   - evidence: what shows it.
  ///   - kind: what a score is, where the dialect says so.
  ///   - hasKeys: false where images are known by their order.
  ///   - hasSourceLabels: true where the list says the class of the source.
  /// - Returns: the images, each a map of one cell.
  /// - Throws: `.usage` where nobody says what labels without scores mean, `.io`.
  consuming func finish(
    _ dialect: String,
    evidence: String,
    kind: ScoreKind?,
    hasKeys: Bool = true,
    hasSourceLabels: Bool = false
  ) throws(RelabelError) -> FoundMaps {
    guard count > 0 else { throw RelabelError(.invalidInput, "the list is empty") }
    if longest > 1, hasScores == false, options.classesAre == nil {
      throw RelabelError(
        .usage,
        "the list has up to \(longest) labels an image and no scores: please give --classes-are exclusive, if they"
          + " share a probability of 1, or --classes-are independent, if each has 1"
      )
    }
    let end = records.count
    try offsets.append { bytes in withUnsafeBytes(of: end) { bytes.append(contentsOf: $0) } }
    let (count, faults) = (count, faults)
    let form = LabelSets.Form(
      topK: max(longest, 1),
      isRagged: isRagged,
      isIndependent: options.classesAre == .independent,
      kind: hasScores == true ? kind : .probability,
      givenKind: options.scoreKind,
      keptTopK: options.topK,
      hasSourceLabels: hasSourceLabels,
      dialect: dialect,
      evidence: evidence
    )
    let sets = LabelSets(form, try records.finish(), try offsets.finish())
    let keys = LabelSetKeys(count: count, sets: sets)
    return FoundMaps(hasKeys ? .keys(keys) : .rows, count: count) { row in
      if let fault = faults[row] { return .failure(fault) }
      return .map(sets, ByteRegion(storage: .rows, offset: row, count: 8 * max(form.topK, 1)))
    }
  }
}
