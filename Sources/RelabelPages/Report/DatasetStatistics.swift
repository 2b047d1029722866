package import Relabel

/// The numbers behind a report, by class or by image.
package struct DatasetStatistics {
  private let source: any LabelMapSource
  private let header: ShardHeader
  private let jobs: Int
  /// The class that is asked for; nil for all.
  private let wanted: Int?

  /// Makes the statistics of a dataset.
  ///
  /// - Parameters:
  ///   - source: the maps.
  ///   - name: the id, name or index of the one class that is asked for; nil for all.
  ///   - jobs: threads that measure.
  /// - Throws: `.notFound` for a class that is not there.
  package init(
    _ source: any LabelMapSource,
    class name: String?,
    jobs: Int
  ) throws(RelabelError) {
    self.source = source
    self.jobs = jobs
    let header = try source.header
    self.header = header
    wanted = try name.map { name throws(RelabelError) in try Self.find(name, header) }
  }

  /// The class that a user names: by its id, its name, or its index.
  private static func find(_ name: String, _ header: ShardHeader) throws(RelabelError) -> Int {
    let entries = header.metadata.classes?.entries ?? []
    if let place = entries.firstIndex(where: { $0.id == name }) { return place }
    if let place = entries.firstIndex(where: { $0.name == name }) { return place }
    if let index = Int(name), (0..<header.numClasses).contains(index) { return index }
    throw RelabelError(
      .notFound,
      "there is no class '\(name)': give an id, a name, or an index below \(header.numClasses)"
    )
  }

  /// Columns of the rows by class.
  package static let classColumns = [
    "class_index", "name", "labelled", "agreeing", "agreement", "mean_probability", "not_in_map",
    "crops_other", "best", "cells",
  ]

  /// Columns of the rows by image.
  package static let imageColumns = [
    "key", "best", "probability", "second", "second_probability", "entropy", "missing",
    "cell_entropy", "cell_missing", "true_cell_missing", "label", "label_probability", "label_lead",
    "label_seen",
    "crops_other_than_image", "crops_other_than_label", "constant", "suspicion",
  ]

  /// Hands out an object for each class, by index, after one pass over all maps.
  ///
  /// - Parameters:
  ///   - progress: is given how many images were measured, and of how many.
  ///   - body: is given the members that `classColumns` names.
  /// - Throws: as `MeasurePass`, `.usage` for classes that are too many to count one by one, and what `body` throws.
  package func forEachClass(
    progress: (Int, Int) -> Void,
    _ body: ([String: JSON]) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    let pass = try MeasurePass(source, jobs: jobs)
    var measures = DatasetMeasures(header, images: source.count)
    guard !measures.classes.isEmpty else {
      throw RelabelError(
        .usage,
        "\(header.numClasses) classes are too many to count one by one; ask for --by image"
      )
    }
    try pass.run { (position, image) throws(RelabelError) in
      measures.add(position, image)
      if position % 1024 == 0 { progress(position, source.count) }
    }
    progress(source.count, source.count)
    let cells = pass.measurer.counts
    for (id, counts) in measures.classes.enumerated() where wanted ?? id == id {
      guard case .object(var members) = counts.json(id: id, cells: cells.best[id]) else { continue }
      members["name"] = .optional(header.metadata.classes?.name(of: id))
      try body(members)
    }
  }

  /// Hands out an object for each image, in the order of positions; nothing is kept.
  ///
  /// - Parameters:
  ///   - progress: as above.
  ///   - body: is given the members that `imageColumns` names.
  /// - Throws: as above.
  package func forEachImage(
    progress: (Int, Int) -> Void,
    _ body: ([String: JSON]) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    try MeasurePass(source, jobs: jobs).run { (position, image) throws(RelabelError) in
      if position % 1024 == 0 { progress(position, source.count) }
      if let wanted, image.best != wanted, image.label?.classIndex != UInt32(wanted) { return }
      guard case .object(var members) = image.json else { return }
      members["key"] = .string(try source.key(at: position))
      try body(members)
    }
    progress(source.count, source.count)
  }
}
