import Relabel
import RelabelVerification

/// What will be saved, and under which build id.
struct RecoveryPlan {
  /// What all shards share.
  let facts: ShardFacts
  /// Shards with rows to save.
  let shards: [ChosenRows]
  /// Optional datasets of the new shards, in the order of the format.
  let optional: [String]
  let buildID: String
  /// The order of rows that the new shards declare; nil for that of the source.
  let rowOrder: RowOrder?

  /// What the new shards and their index say as their writer.
  static let writer = "relabel-recover \(Software.version)"

  init(_ facts: ShardFacts, _ shards: [ChosenRows]) throws(RelabelError) {
    self.facts = facts
    self.shards = shards.filter { !$0.rows.isEmpty }
    optional = Layout.optional.map(\.name).filter {
      facts.hasDataset($0)
    }
    rowOrder = Self.isInOrder(self.shards, facts) ? nil : .source
    buildID = try Self.buildID(facts, self.shards, optional)
  }

  /// False where views don't stand in the order that their shards declare.
  private static func isInOrder(_ shards: [ChosenRows], _ facts: ShardFacts) -> Bool {
    let order = facts.shared["row_order"]?.string.flatMap(RowOrder.init)
    guard let order, order.isOfViews else { return true }
    return shards.allSatisfy { shard in
      let views = shard.shard.survey.views
      return zip(shard.rows, shard.rows.dropFirst()).allSatisfy { row, next in
        guard order == .replay else {
          return (shard.imageIndex(row), views[row].number)
            < (shard.imageIndex(next), views[next].number)
        }
        guard let batch = views[row].batch, let later = views[next].batch else { return false }
        return (batch.epoch, batch.number, views[row].slot)
          < (later.epoch, later.number, views[next].slot)
      }
        && (order == .image || shard.rows.allSatisfy { views[$0].batch != nil })
    }
  }

  /// The digest of where the images come from and which they are (spec, section 9.5).
  private static func buildID(
    _ facts: ShardFacts,
    _ shards: [ChosenRows],
    _ optional: [String]
  ) throws(RelabelError) -> String {
    var images = Digest()
    for shard in shards {
      for row in shard.rows {
        let views = shard.shard.survey.views
        let view = views.isEmpty ? "" : "\t\(views[row].number)"
        let line = "\(shard.shard.output)\t\(shard.imageIndex(row))\t\(shard.key(row))\(view)\n"
        images.update(Array(line.utf8))
      }
    }
    let document = JSON.object([
      "writer": .string(writer),
      "recovered_from": .string(facts.buildID),
      "optional": .array(optional.map(JSON.string)),
      "images": .string(images.hex()),
    ])
    return Digest.of(try document.canonical())
  }
}

extension RecoveryPlan {
  /// Values that are not known any more, by shard and dataset.
  var unknownValues: [UnknownValues] {
    shards.flatMap { chosen in
      optional.compactMap { dataset in
        chosen.unknown[dataset].map {
          UnknownValues(shard: chosen.shard.source.name, dataset: dataset, images: $0.count)
        }
      }
    }
  }

  /// The index of the new dataset.
  ///
  /// - Parameters:
  ///   - shards: the new shards.
  ///   - leftOut: what is not in them.
  ///   - doubts: why the rest is not certain; those of an earlier recovery stay.
  ///   - original: the sound index of the source, if there is one.
  /// - Returns: the index, its own digest not yet taken.
  /// - Throws: `.internalFault` for a score kind that no verified shard has.
  func index(
    _ shards: [DatasetIndex.Shard],
    leftOut: [DatasetIndex.LeftOut],
    _ doubts: [String],
    original: DatasetIndex?
  ) throws(RelabelError) -> DatasetIndex {
    guard let scoreKind = ScoreKind(rawValue: facts.scoreKind) else {
      throw RelabelError(.internalFault, "no score kind")
    }
    var options = original?.options ?? [:]
    var origin: [String: JSON] = [
      "build_id": .string(facts.buildID), "writer": .string(facts.writer),
    ]
    let earlier = options["recovered_from"]?["doubts"]?.array ?? []
    let all = earlier + doubts.map(JSON.string).filter { !earlier.contains($0) }
    if !all.isEmpty { origin["doubts"] = .array(all) }
    options["recovered_from"] = .object(origin)
    return DatasetIndex(
      name: self.shards[0].shard.output.base,
      sources: shards.reduce(leftOut.count) { $0 + $1.rows },
      buildID: buildID,
      numClasses: facts.numClasses,
      scoreKind: scoreKind,
      options: options,
      annotator: facts.annotator,
      classesSHA256: facts.classesSHA256,
      shards: shards,
      leftOut: leftOut.sorted { ($0.imageIndex ?? .max) < ($1.imageIndex ?? .max) },
      writer: Self.writer
    )
  }
}
