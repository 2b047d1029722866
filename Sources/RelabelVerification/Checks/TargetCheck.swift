package import Relabel

/// Where the scores of all classes are that a dataset of factors was made from.
package protocol DenseSource: Sendable {
  /// Finds the scores of some images.
  ///
  /// - Parameters:
  ///   - keys: of the images.
  ///   - numClasses: classes that are scored.
  /// - Returns: what was found of them.
  /// - Throws: `.usage` or `.io` for what can't be opened at all.
  func open(
    _ keys: Set<ImageKey.Exact>,
    numClasses: Int
  ) throws(RelabelError) -> any DenseMaps
}

/// Scores of all classes by key.
package protocol DenseMaps: Sendable {
  /// The scores of an image; nil where there are none. Callable from any thread.
  ///
  /// - Throws: `.io` or `.invalidInput` for scores that can't be read.
  func map(forKey key: String) throws(RelabelError) -> DenseMap?
}

/// Measures the error of targets again, and compares it with what shards state (rule V034).
struct TargetCheck {
  private let source: any DenseSource
  private let path: String
  private let jobs: Int

  init(_ source: any DenseSource, path: String, jobs: Int) {
    (self.source, self.path, self.jobs) = (source, path, jobs)
  }

  /// An image that was measured when it was packed.
  private struct Measured {
    let key: String
    let imageIndex: Int64
    let row: Int
  }

  /// Looks at every shard of the report that can be read, and adds what comes out to it.
  ///
  /// - Throws: `.usage` or `.io` where the scores can't be opened.
  func check(_ report: inout Report) throws(RelabelError) {
    var shards: [(reader: ShardReader, images: [Measured])] = []
    for shard in report.files where shard.kind == .shard {
      do throws(RelabelError) {
        let reader = try ShardReader(shard.path)
        guard reader.header.hasFactors else {
          let message = "its maps are no factors, which alone state an error of targets"
          throw RelabelError(.usage, message)
        }
        shards.append((reader, try Self.measured(reader)))
      } catch {
        report.omissions.append("\(shard.path): targets were not compared: \(error.message)")
      }
    }
    guard let first = shards.first?.reader.header else { return }
    let keys = Set(shards.flatMap { $0.images.map { ImageKey.Exact($0.key) } })
    let maps = try source.open(keys, numClasses: first.numClasses)
    var (all, stated, missing) = (TargetError(), TargetError(), [String]())
    for (reader, images) in shards {
      let found = try compare(reader, images, maps, &report)
      all.add(found.error)
      missing += found.missing
      stated.add(reader.targetError ?? TargetError())
    }
    if let key = missing.first {
      report.omissions.append(
        "\(path): the scores of \(missing.count) of \(keys.count) measured images are not there, or not of the maps' grid"
          + " and classes; first: '\(key)'"
      )
    }
    report.measure(
      "targets",
      ["path": .string(path), "measured": all.json, "stated": stated.json]
    )
  }

  private static func measured(_ reader: ShardReader) throws(RelabelError) -> [Measured] {
    let indexes = try reader.imageIndexes()
    let rows = indexes.indices.filter { TargetMeasure.includes(indexes[$0]) }
    let keys = try reader.keys()
    return rows.map { Measured(key: keys[$0], imageIndex: indexes[$0], row: $0) }
  }

  /// Measures one shard.
  private func compare(
    _ reader: ShardReader,
    _ images: [Measured],
    _ maps: any DenseMaps,
    _ report: inout Report
  ) throws(RelabelError) -> (error: TargetError, missing: [String]) {
    let header = reader.header
    let measure = TargetMeasure(header)
    let results = Parallel.map(images.count, jobs: jobs) { place in
      Result { () throws(RelabelError) -> TargetError? in
        let image = images[place]
        guard let dense = try maps.map(forKey: image.key), dense.classes == header.numClasses,
          dense.height == header.shape.height, dense.width == header.shape.width
        else { return nil }
        let stored = try reader.maps(at: [image.row])[0]
        return measure.error(of: stored, against: dense, imageIndex: image.imageIndex)
      }
    }
    // In the order of rows, so that sums are those of the writer to the last bit.
    var (error, missing) = (TargetError(), [String]())
    for (image, result) in zip(images, results) {
      if let own = try result.get() { error.add(own) } else { missing.append(image.key) }
    }
    if missing.isEmpty, let stated = reader.targetError, !stated.agrees(with: error) {
      let violation = Violation(
        .v034,
        "attribute '\(Layout.targetError)' states \(stated.words), but the scores that were given say \(error.words)",
        at: Location(dataset: Layout.classFactor)
      )
      var tally = Tally()
      tally.add(violation)
      report.findings += tally.findings(in: reader.path)
    }
    return (error, missing)
  }
}

extension TargetError {
  /// The figures in a few words.
  package var words: String {
    func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }
    return "mean KL \(rounded(meanDivergence)), half L1 \(rounded(meanDistance)) and"
      + " \(otherTop) other top classes in \(crops) crops of \(images) images"
  }

  /// What a document says of it; means of no crops for what is none.
  init(figures: JSON?) {
    let crops = Int(figures?["crops"]?.integer ?? 0)
    func sum(_ name: String) -> Double { (figures?[name]?.number ?? 0) * Double(crops) }
    self.init(components: [
      Double(figures?["images"]?.integer ?? 0), Double(crops), sum("mean_kl"), sum("half_l1"),
      sum("other_top1").rounded(),
    ])
  }
}
