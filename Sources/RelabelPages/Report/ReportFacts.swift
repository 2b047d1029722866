internal import Relabel
internal import RelabelVerification

/// All that a report says, before it becomes a document.
struct ReportFacts {
  let source: any LabelMapSource
  let header: ShardHeader
  let report: Report
  let level: Verifier.Level
  let measures: DatasetMeasures
  let cells: CellCounts
  let repeats: RepeatedMaps
  let classList: ClassListEvidence
  let grid: GridEvidence
  let parts: StoredParts
  let marks: MarkCounts?

  /// The name of a class with its id, short enough for a sentence.
  func name(of id: Int) -> String {
    let name = header.metadata.classes.map { ", \($0.name(of: id).shortened)" } ?? ""
    return "class \(id)\(name)"
  }
}

extension ShardHeader {
  /// True where a cell may leave classes out that have a share of its probability.
  var leavesClassesOut: Bool { classesAre == .exclusive && !hasFactors }
}
