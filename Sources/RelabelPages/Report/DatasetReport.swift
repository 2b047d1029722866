package import Relabel
package import RelabelVerification

/// Makes the report of a dataset: what its files, maps and labels look like, the gravest first.
package struct DatasetReport {
  /// The shard or dataset.
  package var path: String
  /// Threads that measure.
  package var jobs: Int = 1
  /// How much the verifier reads.
  package var level: Verifier.Level = .quick
  /// Where the HDF5 library works.
  package var isolation: Isolation = .none
  /// Folders of pictures, for thumbnails.
  package var pictures: [String] = []
  /// A file of marks.
  package var marks: String?

  /// Makes the report of a path.
  package init(_ path: String) { self.path = path }

  /// The title of its page.
  package var title: String { "Report of \(Folder.name(of: Folder.absolute(path)).shortened)" }

  /// Reads the dataset once and makes the document, which is all that a page shows.
  ///
  /// - Parameter progress: is given how many images were measured, and of how many.
  /// - Returns: the document.
  /// - Throws: as reading and `MeasurePass`; `.io` naming the Debian package where thumbnails are asked for and the
  ///   program that makes them is missing.
  /// - Complexity: O(entries of all maps), and 8 bytes of memory for each image.
  package func document(
    progress: (_ done: Int, _ all: Int) -> Void
  ) throws(RelabelError) -> JSON {
    if !pictures.isEmpty { try Thumbnails.requireProgram() }
    var verifier = Verifier(jobs: jobs, isolation: isolation)
    verifier.level = level
    let report = verifier.verify([path])
    if let failure = report.failures.first { throw failure }
    let source = try openLabelMaps(path)
    let marks = try marks.map { path throws(RelabelError) in try MarkCounts(path, in: source) }
    let pass = try MeasurePass(source, jobs: jobs)
    let header = try source.header
    var measures = DatasetMeasures(header, images: source.count)
    try pass.run { (position, image) throws(RelabelError) in
      measures.add(position, image)
      if position % 1024 == 0 { progress(position, source.count) }
    }
    progress(source.count, source.count)
    let cells = pass.measurer.counts
    let facts = ReportFacts(
      source: source,
      header: header,
      report: report,
      level: level,
      measures: measures,
      cells: cells,
      repeats: RepeatedMaps(measures.digests),
      classList: ClassListEvidence(measures),
      grid: GridEvidence(measures, header.orientation),
      parts: try StoredParts(source, cells, measures),
      marks: marks
    )
    let sheets = ContactSheet.all(measures)
    let thumbnails = try Thumbnails.of(ContactSheet.positions(sheets), in: source, pictures)
    return try facts.document(title: title, sheets: sheets, thumbnails)
  }
}
