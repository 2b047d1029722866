import Relabel

/// The lists of MultiLabel-ImageNet (2026): a line `FILE⇥GT⇥IDS⇥PROBS` for each image.
///
/// Facts: jchen175/MultiLabel-ImageNet at 8c3418e, multilabel/convert_labels.py. IDS and PROBS are lists with commas,
/// probabilities have four decimals and no zero before the point (`0,391` and `.2654,1.0`); they sum above 1, since
/// each class has its own: packing asks for `--classes-are independent`. GT is the class of the folder, -1 where
/// there is none; it is stored as the class of the source.
struct MultilabelTSV: Dialect {
  let name = "multi-label TSV"
  let word = "multilabel-tsv"
  let extensions: [String] = []

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    try Self.read(region, path: path(), options)
  }

  /// Lines that are looked at to tell such a list from a table of labels.
  private static let sample = 100

  /// True where the first lines have four columns, the last two lists of equal length, and one has a point.
  static func isLikely(_ region: ByteRegion, path: String) throws(RelabelError) -> Bool {
    var lines = TextLines(region, path: path)
    var hasPoint = false
    while lines.number < sample, let line = try lines.line() {
      if line.isEmpty { continue }
      guard let fields = columns(of: line), let (ids, probabilities) = lists(fields),
        ids.allSatisfy({ UInt32($0) != nil }), probabilities.allSatisfy({ Float($0) != nil }),
        Int32(fields[1]) != nil
      else { return false }
      hasPoint = hasPoint || probabilities.contains { $0.contains(".") }
    }
    return hasPoint
  }

  static func read(
    _ region: ByteRegion,
    path: String,
    _ options: InputOptions
  ) throws(RelabelError) -> FoundMaps {
    var lines = TextLines(region, path: path)
    var builder = LabelSetBuilder(options)
    while let line = try lines.line() {
      if line.isEmpty { continue }
      guard let fields = columns(of: line) else {
        throw RelabelError(
          .invalidInput,
          "line \(lines.number) has not the four columns FILE, GT, IDS and PROBS with tabs between them"
        )
      }
      let key = ImageKey.strippingExtension(LabelTable.plain(fields[0]))
      try builder.add(key: key, at: "line \(lines.number)") { set throws(RelabelError) in
        guard let label = Int32(fields[1]), label >= -1 else {
          throw RelabelError(.invalidInput, "'\(fields[1])' is not the number of a class, nor -1")
        }
        guard let (ids, probabilities) = lists(fields) else {
          throw RelabelError(
            .invalidInput,
            "the lists of classes and probabilities differ in length"
          )
        }
        set.sourceLabel = label
        for (id, probability) in zip(ids, probabilities) {
          guard let id = UInt32(id), let score = Float(probability), score.isFinite else {
            throw RelabelError(.invalidInput, "'\(id)' or '\(probability)' is not a number")
          }
          set.ids.append(id)
          set.scores.append(score)
        }
      }
    }
    return try builder.finish(
      "multi-label TSV",
      evidence: "lines of a file, a class, classes and their probabilities, with tabs between them",
      kind: .probability,
      hasSourceLabels: true
    )
  }

  private static func columns(of line: String) -> [String]? {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    return fields.count == 4 && !fields[0].isEmpty ? fields : nil
  }

  private static func lists(_ fields: [String]) -> ([String], [String])? {
    let lists = fields[2...3].map { $0.split(separator: ",").map(String.init) }
    return lists[0].count == lists[1].count ? (lists[0], lists[1]) : nil
  }
}
